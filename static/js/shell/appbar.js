// The bar at the top: mark, views, theme and language.
import { html } from "../shared/html.js";
import { halfDisc, icon } from "../shared/icons.js";
import { language, setLanguage, t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { setTheme } from "./theme.js";

const VIEWS = ["console", "lab"];
const THEMES = [["system", halfDisc], ["light", () => icon("sun")], ["dark", () => icon("moon")]];

export function AppBar() {
  const other = language() === "zh" ? "en" : "zh";
  return html`<header class="appbar">
    <h1 class="mark">${icon("mark")} ws-echo</h1>
    <nav aria-label=${t("views")}>
      ${VIEWS.map((view) => html`<a key=${view} id=${`view-${view}`} href=${`#${view}`} aria-current=${app.view === view ? "page" : null}>${t(`view.${view}`)}</a>`)}
    </nav>
    <p class="tagline">${t("tagline")}</p>
    <div class="themes" role="group" aria-label=${t("theme")}>
      ${THEMES.map(
        ([theme, drawing]) => html`<button type="button" key=${theme} class="icon-button" aria-label=${t(`theme.${theme}`)} title=${t(`theme.${theme}`)} aria-pressed=${app.theme === theme} onClick=${act(() => setTheme(theme))}>${drawing()}</button>`,
      )}
    </div>
    <button type="button" id="lang" class="quiet" lang=${other === "zh" ? "zh-Hans" : "en"} onClick=${act(() => setLanguage(other))}>${other === "zh" ? "中文" : "English"}</button>
  </header>`;
}

// The bar at the top: mark, views, theme and language.
import { html } from "../shared/html.js";
import { dots, halfDisc, icon } from "../shared/icons.js";
import { language, setLanguage, t } from "../shared/i18n.js";
import { Popover, toggle } from "../shared/popover.js";
import { act, app, changed, narrow } from "../state.js";
import { setTheme } from "./theme.js";

const VIEWS = ["console", "check", "lab"];
const THEMES = [["system", halfDisc], ["light", () => icon("sun")], ["dark", () => icon("moon")]];

const Themes = () => html`<div class="themes" role="group" aria-label=${t("theme")}>
  ${THEMES.map(
    ([theme, drawing]) => html`<button type="button" key=${theme} class="icon-button" aria-label=${t(`theme.${theme}`)} title=${t(`theme.${theme}`)} aria-pressed=${app.theme === theme} onClick=${act(() => setTheme(theme))}>${drawing()}</button>`,
  )}
</div>`;

function Language() {
  const other = language() === "zh" ? "en" : "zh";
  return html`<button type="button" id="lang" class="quiet" lang=${other === "zh" ? "zh-Hans" : "en"} onClick=${() => setLanguage(other).then(changed)}>${other === "zh" ? "中文" : "English"}</button>`;
}

const Views = () => VIEWS.map((view) => html`<a key=${view} id=${`view-${view}`} href=${`#${view}`} aria-current=${app.view === view ? "page" : null}>${t(`view.${view}`)}</a>`);

/** Under 700 px the views are a menu, and the theme and the language stand in another. */
export function AppBar() {
  return html`<header class="appbar">
    <h1 class="mark">${icon("mark")} ws-echo</h1>
    ${narrow()
      ? html`<span class="anchor views"><button type="button" class="quiet" aria-expanded=${app.popover === "views"} onClick=${toggle("views")}><b>${t(`view.${app.view}`)}</b> ${icon("chevronDown")}</button>
          ${app.popover === "views" && html`<${Popover} label=${t("views")} align="start"><nav aria-label=${t("views")} onClick=${act(() => (app.popover = null))}><${Views} /></nav><//>`}</span>
        <span class="anchor settings"><button type="button" class="icon-button" aria-label=${t("settings")} aria-expanded=${app.popover === "settings"} onClick=${toggle("settings")}>${dots()}</button>
          ${app.popover === "settings" && html`<${Popover} label=${t("settings")}><${Themes} /><${Language} /><//>`}</span>`
      : html`<nav aria-label=${t("views")}><${Views} /></nav>
        <p class="tagline">${t("tagline")}</p>
        <${Themes} /><${Language} />`}
  </header>`;
}

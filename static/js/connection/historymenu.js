// The menu of the URL field: the URLs of earlier connections and how each ended.
import { html } from "../shared/html.js";
import { has, t } from "../shared/i18n.js";
import { Popover } from "../shared/popover.js";
import { act, app } from "../state.js";
import { clearHistory, history } from "./history.js";

/** The arrows move between the buttons of a menu. */
export function arrows(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || event.defaultPrevented) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll("button:enabled")];
  const index = buttons.indexOf(document.activeElement);
  buttons[(index + step + buttons.length) % buttons.length]?.focus();
}

export function HistoryList({ tab }) {
  const choose = (url) =>
    act(() => {
      tab.url = url;
      app.popover = null;
    });
  if (!history.length) return html`<p class="muted">${t("history.none")}</p>`;
  return html`<ul class="menu" onKeyDown=${arrows}>
    ${history.map(({ url, end }) => html`<li key=${url}><button type="button" onClick=${choose(url)}><span>${url}</span><span class="muted">${has(`history.${end}`) ? t(`history.${end}`) : end}</span></button></li>`)}
  </ul>`;
}

export function HistoryMenu({ tab }) {
  return html`<${Popover} label=${t("history")} class="history">
    <div onKeyDown=${arrows}><div class="menu-head"><h2>${t("history")}</h2>${history.length > 0 && html`<button type="button" class="link" onClick=${act(clearHistory)}><b>${t("clear")}</b></button>`}</div>
    <${HistoryList} tab=${tab} /></div>
  <//>`;
}

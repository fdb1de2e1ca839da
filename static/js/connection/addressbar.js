// The address bar: the state and the URL, the subprotocol, the faults, and what is done with the connection.
import { openDrawer } from "../drawer/open.js";
import { classes, html } from "../shared/html.js";
import { dots, icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { toggle } from "../shared/popover.js";
import { DisconnectPopover, HistoryMenu, MoreMenu } from "../shell/later.js";
import { act, app, narrow, wide } from "../state.js";
import { explained } from "./explain.js";
import { faultsOf } from "./faults.js";
import { lamp, wordOf } from "./lamp.js";
import { SubprotocolField } from "./subprotocol.js";
import { newTab } from "./tabs.js";
import { readUrl } from "./url.js";

/** The URL in three parts, so that the host stands out. A narrow screen has room for the host alone. */
function parts(url) {
  const [, scheme, host, rest] = /^([a-z]+:\/\/)?([^/?#]*)(.*)$/is.exec(url);
  if (narrow()) return html`<b>${host}</b>`;
  return html`<span>${scheme}</span><b>${host}</b><span>${rest}</span>`;
}

/** A click on the shown URL edits it, all of it selected, as in a browser's own address bar. */
function edit(event) {
  event.preventDefault();
  const field = document.querySelector("#url");
  field.focus();
  field.select();
}

export function FaultButton({ tab }) {
  const faults = faultsOf(tab.url, app.keys).length;
  const open = act(() => (app.drawer ? (app.drawer = null) : openDrawer(tab)));
  return html`<button type="button" id="fault" class=${classes("fault", faults > 0 && "on")} aria-expanded=${Boolean(app.drawer)} onClick=${open}>${icon("bolt")} ${t("fault")} ${faults > 0 && html`<span>${faults}</span>`}</button>`;
}

export function AddressBar({ tab }) {
  const word = wordOf(tab);
  const bad = readUrl(tab.url).error;
  const submit = (event) => {
    event.preventDefault();
    if (tab.open && !tab.changed) return;
    tab.connect();
  };
  // The next step is filled: here while nothing is open and no callout has a next step of its own.
  const live = tab.open || tab.word === "connecting" || tab.word === "closing";
  const label = live && !tab.changed ? "disconnect" : tab.used && (tab.changed || tab.word === "closed" || tab.word === "lost") ? "reconnect" : "connect";
  const primary = !live && !explained(tab) && !app.drawer;
  const press = () => (label === "disconnect" ? tab.close() : tab.connect());
  return html`<form class="address" aria-label=${t("address")} onSubmit=${submit}>
    <div class=${classes("url", bad && "bad")}>
      <span class="state" data-word=${word} role="status">${lamp(word)}<b id="state" data-state=${word}>${t(`state.${word}`)}</b></span>
      <span class="url-text">
        <span class="url-parts" aria-hidden="true" onMouseDown=${edit}>${parts(tab.url)}</span>
        <input id="url" aria-label="URL" spellcheck=${false} autocomplete="off" autocapitalize="off" value=${tab.url} disabled=${Boolean(tab.imported)}
          aria-invalid=${bad ? "true" : null} aria-describedby=${bad ? "url-error" : null}
          onInput=${act((event) => (tab.url = event.target.value))} onKeyDown=${(event) => event.key === "Enter" && !event.isComposing && submit(event)} onBlur=${act(() => tab.settleUrl())} />
      </span>
      ${!narrow() && html`<span class="anchor"><button type="button" class="icon-button" aria-label=${t("history")} title=${t("history")} aria-expanded=${app.popover === "history"} onClick=${toggle("history")}>${icon("clock")}</button>
        ${app.popover === "history" && html`<${HistoryMenu} tab=${tab} />`}</span>`}
    </div>
    ${wide() && html`<${SubprotocolField} tab=${tab} />`}
    ${!narrow() && html`<${FaultButton} tab=${tab} />`}
    <div class="split">
      <button type="button" id="connect" class=${classes(primary && "primary")} disabled=${(bad && label !== "disconnect") || Boolean(tab.imported)} onClick=${press}>${t(label)}</button>
      ${!narrow() && html`<span class="anchor"><button type="button" id="disconnect-menu" class="icon-button" aria-label=${t("disconnect.menu")} title=${t("disconnect.menu")} aria-expanded=${app.popover === "disconnect"} onClick=${toggle("disconnect")}>${icon("chevronDown")}</button>
        ${app.popover === "disconnect" && html`<${DisconnectPopover} tab=${tab} />`}</span>`}
    </div>
    ${!narrow() && app.tabs.length === 1 && html`<button type="button" class="icon-button" aria-label=${t("tab.new")} title=${t("tab.new")} onClick=${act(newTab)}>${icon("plus")}</button>`}
    ${!narrow() && html`<span class="anchor"><button type="button" id="more" class="icon-button" aria-label=${t("more")} title=${t("more")} aria-expanded=${app.popover === "more"} onClick=${toggle("more")}>${dots()}</button>
      ${app.popover === "more" && html`<${MoreMenu} tab=${tab} />`}</span>`}
  </form>`;
}

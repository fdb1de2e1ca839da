// The form of the checks, which looks like the address bar of the console: the URL, the subprotocol, and the buttons.
import { usedProtocols } from "../connection/history.js";
import { HistoryMenu } from "../connection/historymenu.js";
import { MoreMenu } from "../connection/more.js";
import { readUrl } from "../connection/url.js";
import { classes, html } from "../shared/html.js";
import { dots, icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { toggle } from "../shared/popover.js";
import { act, app, narrow } from "../state.js";
import { check, start, stop } from "./state.js";

/** The host stands out until the field is edited. */
function parts(url) {
  const [, scheme, host, rest] = /^([a-z]+:\/\/)?([^/?#]*)(.*)$/is.exec(url);
  return html`<span>${scheme}</span><b>${host}</b><span>${rest}</span>`;
}
function edit(event) {
  event.preventDefault();
  event.currentTarget.nextElementSibling.focus();
  event.currentTarget.nextElementSibling.select();
}

const menu = (name, shape, popover) => html`<span class="anchor"><button type="button" class="icon-button" aria-label=${t(name)} title=${t(name)} aria-expanded=${app.popover === name} onClick=${toggle(name)}>${shape}</button>${app.popover === name && popover}</span>`;

/** `said()` is read out at the end. */
export function Form({ said }) {
  const { tab } = app;
  const { run } = check;
  const bad = readUrl(tab.url).error;
  const submit = act((event) => {
    event.preventDefault();
    if (run) stop();
    else if (!bad) start(said);
  });
  return html`<form class="address check-form" aria-label=${t("check.run")} onSubmit=${submit}>
    <div class=${classes("url", bad && "bad")}>
      <span class="url-text">
        <span class="url-parts" aria-hidden="true" onMouseDown=${edit}>${parts(tab.url)}</span>
        <input id="check-url" aria-label="URL" spellcheck=${false} autocomplete="off" autocapitalize="off" value=${tab.url} disabled=${Boolean(run)} aria-invalid=${bad ? "true" : null} aria-describedby=${bad ? "check-bad" : null}
          onInput=${act((event) => (tab.url = event.target.value))} onBlur=${act(() => tab.settleUrl())} />
      </span>
      ${!narrow() && menu("history", icon("clock"), html`<${HistoryMenu} tab=${tab} />`)}
    </div>
    <label class="subprotocol"><span>${t("subprotocol")}</span><input id="check-protocols" list="check-protocol-list" spellcheck=${false} autocomplete="off" value=${tab.protocols} disabled=${Boolean(run)} onInput=${act((event) => (tab.protocols = event.target.value))} />${icon("chevronDown")}
      <datalist id="check-protocol-list">${usedProtocols().map((name) => html`<option key=${name} value=${name}></option>`)}</datalist></label>
    <button type="submit" id="check-run" class=${run ? "" : "primary"} disabled=${Boolean(bad)}>${t(run ? "check.stop" : check.done ? "check.again" : "check.run")}</button>
    ${!narrow() && menu("more", dots(), html`<${MoreMenu} tab=${tab} />`)}
    ${bad && html`<p id="check-bad" class="error">${t(bad)}</p>`}
  </form>`;
}

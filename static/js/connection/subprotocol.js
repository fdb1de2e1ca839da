// The field of subprotocols: free text, with the default and the last three used as a list.
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { act } from "../state.js";
import { usedProtocols } from "./history.js";

/** `short`: a field in the state line. */
export function SubprotocolField({ tab, short }) {
  return html`<label class=${short ? "subprotocol short" : "subprotocol"}>
    <span>${t("subprotocol")}</span>
    <input id="protocols" list="protocol-list" spellcheck=${false} autocomplete="off" value=${tab.protocols} disabled=${Boolean(tab.imported)}
      onInput=${act((event) => (tab.protocols = event.target.value))} onKeyDown=${(event) => event.key === "Enter" && tab.connect()} />${icon("chevronDown", short ? 12 : 16)}
    <datalist id="protocol-list">${usedProtocols().map((name) => html`<option key=${name} value=${name}></option>`)}</datalist>
  </label>`;
}

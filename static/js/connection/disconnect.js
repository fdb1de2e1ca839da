// The menu of the button Disconnect: a Close with a code and a reason.
import { utf8Length } from "../shared/format.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Popover } from "../shared/popover.js";
import { act, app } from "../state.js";

const CODES = [1000, 3000, 4000, 4401];
const REASON = 123; // bytes that a Close frame has left for its reason (RFC 6455, sections 5.5 and 5.5.1)

const draft = { code: "1000", reason: "" };

/** May a page send this code? The browser refuses every other (WebSockets standard, close()). */
export const sendable = (code) => code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);

export function DisconnectMenu({ tab }) {
  const bytes = utf8Length(draft.reason);
  const badCode = !sendable(Number(draft.code));
  const ready = tab.open && !badCode && bytes <= REASON;
  const close = (again) => {
    app.popover = null;
    if (again) tab.closeAndReconnect(Number(draft.code), draft.reason);
    else tab.close(Number(draft.code), draft.reason);
  };
  const submit = (event) => {
    event.preventDefault();
    if (ready) close(false);
  };
  return html`<form onSubmit=${submit}>
    <h2>${t("disconnect.with")}</h2>
    <div class="pair">
      <label>${t("code")}<input id="close-code" list="close-codes" inputmode="numeric" autocomplete="off" value=${draft.code} aria-invalid=${badCode ? "true" : null} aria-describedby="close-hint" onInput=${act((event) => (draft.code = event.target.value))} /></label>
      <datalist id="close-codes">${CODES.map((code) => html`<option key=${code} value=${code}></option>`)}</datalist>
      <label>${t("reason")}<input id="close-reason" autocomplete="off" value=${draft.reason} aria-invalid=${bytes > REASON ? "true" : null} aria-describedby="close-hint" onInput=${act((event) => (draft.reason = event.target.value))} /></label>
    </div>
    <p id="close-hint" class=${badCode || bytes > REASON ? "error" : "muted"}>${t("disconnect.hint", { n: bytes })}</p>
    <div class="actions">
      <button type="submit" id="close-with" class="primary" disabled=${!ready}>${t("disconnect.send")}</button>
      <button type="button" disabled=${!ready} onClick=${act(() => close(true))}>${t("disconnect.again")}</button>
    </div>
  </form>`;
}

export const DisconnectPopover = ({ tab }) => html`<${Popover} label=${t("disconnect.with")} class="disconnect"><${DisconnectMenu} tab=${tab} /><//>`;

// The address bar: the state, the URL, the subprotocol and what is done with the connection.
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { act } from "../state.js";
import { readUrl } from "./url.js";

export function AddressBar({ tab }) {
  const bad = readUrl(tab.url).error;
  return html`<form class="address" onSubmit=${(event) => { event.preventDefault(); tab.connect(); }}>
    <div class="url" data-word=${tab.word}>
      <span id="state" class="state" role="status" data-state=${tab.word}>${t(`state.${tab.word}`)}</span>
      <input id="url" aria-label="URL" spellcheck="false" autocomplete="off" value=${tab.url} aria-invalid=${bad ? "true" : null} onInput=${act((event) => (tab.url = event.target.value))} />
    </div>
    <button type="submit" disabled=${Boolean(bad)}>${t(tab.open ? "reconnect" : "connect")}</button>
    ${tab.open && html`<button type="button" onClick=${() => tab.close()}>${t("disconnect")}</button>`}
  </form>`;
}

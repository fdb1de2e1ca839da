// The last exchange, and the composer of the next message.
import { html } from "../shared/html.js";
import { act } from "../state.js";

export function Dock({ tab }) {
  const send = () => tab.send(tab.draft.text) && (tab.draft.text = "");
  return html`<section class="dock" aria-label="Your last exchange and the next message">
    <p class="exchange">${tab.exchange?.replies.at(-1)?.data}</p>
    <form onSubmit=${(event) => { event.preventDefault(); act(send)(); }}>
      <textarea id="composer" value=${tab.draft.text} onInput=${act((event) => (tab.draft.text = event.target.value))}></textarea>
      <button id="send" type="submit" disabled=${!tab.open}>Send</button>
    </form>
  </section>`;
}

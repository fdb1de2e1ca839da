// The inspector: the chosen message, the timing, the connection.
import { html } from "../shared/html.js";

export function Inspector() {
  return html`<aside class="inspector" aria-label="Inspector"></aside>`;
}

// The shapes of the log's events, 12 px: each stands before its word.
import { html } from "../shared/html.js";

const PATHS = {
  sent: "M6 10.5v-9M2.5 5 6 1.5 9.5 5",
  received: "M6 1.5v9M2.5 7 6 10.5 9.5 7",
  control: "M6 2.2 9.8 6 6 9.8 2.2 6z",
  close: "M2.8 2.8h6.4v6.4H2.8z",
  error: "M2.8 2.8l6.4 6.4M9.2 2.8 2.8 9.2",
  retries: "M10.2 6.5A4.2 4.2 0 1 1 9 3.1L10.4 4.5M10.5 1.7v3H7.5",
  heartbeat: "M3.4 10.5v-9M.9 4 3.4 1.5 5.9 4M8.6 1.5v9M6.1 8l2.5 2.5L11.1 8",
};

export const shape = (kind, size = 12) => PATHS[kind] && html`<svg class="icon shape" width=${size} height=${size} viewBox="0 0 12 12" aria-hidden="true"><path d=${PATHS[kind]} /></svg>`;

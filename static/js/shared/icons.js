// Icons: 16 px, stroke 1.5, round caps. Each stands beside a word or has a name of its own for screen readers.
import { html } from "./html.js";

const PATHS = {
  mark: "M2 5.5h10M9 2.5l3 3-3 3M14 10.5H4M7 7.5l-3 3 3 3",
  up: "M8 13V3M4.5 6.5 8 3l3.5 3.5",
  down: "M8 3v10M4.5 9.5 8 13l3.5-3.5",
  heartbeat: "M5 13V3M2.5 5.5 5 3l2.5 2.5M11 3v10M8.5 10.5 11 13l2.5-2.5",
  chevronDown: "M4.5 6.5 8 10l3.5-3.5",
  chevronUp: "M4.5 9.5 8 6l3.5 3.5",
  chevronLeft: "M9.5 4.5 6 8l3.5 3.5",
  chevronRight: "M6.5 4.5 10 8l-3.5 3.5",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  check: "M3 8.5 6.5 12 13 4.5",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3.5 3.5",
  bolt: "M9 1.5 4 9h3.5L7 14.5 12 7H8.5z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5",
  copy: "M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  retry: "M13 8a5 5 0 1 1-1.5-3.5M12 1.5v3h-3",
};

export const icon = (name, size = 16) =>
  html`<svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** Three dots, and the half-filled circle of the system's theme: filled shapes. */
export const dots = () =>
  html`<svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><g fill="currentColor" stroke="none"><circle cx="3" cy="8" r="1.2" /><circle cx="8" cy="8" r="1.2" /><circle cx="13" cy="8" r="1.2" /></g></svg>`;
export const halfDisc = () =>
  html`<svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" /><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" /></svg>`;

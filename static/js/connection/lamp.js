// The lamp of a connection's state: each state has a shape of its own, colour comes third.
import { html } from "../shared/html.js";

const SHAPES = {
  connecting: html`<circle cx="6" cy="6" r="4.5" stroke-dasharray="3.5 3.6" />`,
  open: html`<circle cx="6" cy="6" r="5" fill="currentColor" stroke="none" />`,
  closing: html`<circle cx="6" cy="6" r="4.5" /><path d="M6 1.5a4.5 4.5 0 0 1 0 9z" fill="currentColor" stroke="none" />`,
  closed: html`<circle cx="6" cy="6" r="4.25" />`,
  refused: html`<rect x="1.5" y="1.5" width="9" height="9" rx="1" /><path d="M3.5 6h5" />`,
  lost: html`<path d="M6 1.2 10.8 6 6 10.8 1.2 6z" />`,
  gone: html`<path d="M6 1.2 10.8 6 6 10.8 1.2 6z" />`,
  imported: html`<path d="M1.5 3h9M1.5 6h9M1.5 9h9" />`,
};

export const lamp = (word, size = 12) => html`<svg class="lamp icon" data-word=${word} width=${size} height=${size} viewBox="0 0 12 12" aria-hidden="true">${SHAPES[word]}</svg>`;

/** The state's word of a tab: of an imported log there is no connection. */
export const wordOf = (tab) => (tab.imported ? "imported" : tab.word);

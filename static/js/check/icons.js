// The shapes of the verdicts, 16 px: each is known by its form, colour comes second.
import { html } from "../shared/html.js";

const SHAPES = {
  ok: html`<circle cx="8" cy="8" r="6.25" /><path d="M5.25 8.25 7.25 10.25 10.75 6" />`,
  differs: html`<path d="M8 2 14.5 13.5h-13zM8 6.25v3.5M8 11.6v.05" />`,
  broken: html`<path d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4zM6 6l4 4M10 6l-4 4" />`,
  unknown: html`<circle cx="8" cy="8" r="6.25" stroke-dasharray="2.4 1.53" /><path d="M6.4 6.4a1.65 1.65 0 1 1 2.5 1.5c-.6.35-.9.65-.9 1.2M8 11.2v.05" />`,
  skipped: html`<circle cx="8" cy="8" r="6.25" stroke-dasharray="2.4 1.53" /><path d="M5.5 8h5" />`,
};

export const verdictIcon = (verdict) => html`<svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[verdict]}</svg>`;

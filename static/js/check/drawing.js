// Two rows of lines on one scale: the times at which messages were sent, and at which they came.
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { textOf, time } from "./figures.js";

const WIDTH = 1000; // of a row, in the units of its lines

/** The lines of `times` within `span` ms. Pure. */
export const lines = (times, span) => times.map((at) => `M${((WIDTH * at) / span).toFixed(1)} 3V13`).join("");

export function Drawing({ what, pace, verdict }) {
  const { sent, came } = pace.drawn;
  const span = Math.max(1, ...sent, ...came);
  const row = (name, times) => html`<span>${t(name)}</span>
    <svg class="pace-row" viewBox=${`0 0 ${WIDTH} 16`} preserveAspectRatio="none"><path class="pace-base" d=${`M0 8H${WIDTH}`} /><path d=${lines(times, span)} /></svg>`;
  return html`<div class="pace" role="img" data-verdict=${verdict} aria-label=${t("check.pace", { what: textOf(what), n: pace.count, time: time(span) })}>
    ${row("check.pace.sent", sent)}${row("check.pace.came", came)}
    <span class="pace-axis"><span>0</span><span>${textOf(what)}</span><span>${time(span)}</span></span>
  </div>`;
}

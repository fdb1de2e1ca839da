// The heartbeat's row at the head of the log: its last reply, the last round trips, and the switch.
import { bytes, clock, hexLine, millis } from "../shared/format.js";
import { classes, html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { narrow } from "../state.js";
import { splitStamp } from "./pending.js";
import { shape } from "./shapes.js";

const LEAST = 4; // round trips that make a line
const STEP = 4; // px from bar to bar
const HEIGHT = 16; // px
const LONG = 200; // bytes of a reply that may have to be scrolled

function sparkline(trips) {
  if (trips.length < LEAST) return null;
  const most = Math.max(...trips, 0.001);
  const width = trips.length * STEP;
  return html`<svg class="sparkline" aria-hidden="true" width=${width} height=${HEIGHT}>
    ${trips.map((trip, i) => {
      const tall = trip === null ? 2 : 3 + (trip / most) * 5;
      return html`<rect key=${i} class=${trip === null ? "lost" : i === trips.length - 1 && "newest"} x=${i * STEP} y=${HEIGHT - 1 - tall} width="1.5" height=${tall} />`;
    })}
  </svg>`;
}

function reply(row) {
  const [body, stamp] = splitStamp(row);
  return typeof body === "string" ? html`${body}${stamp && html`<span class="stamp">${stamp}</span>`}` : hexLine(row.data);
}

export function HeartbeatRow({ tab }) {
  const { heartbeat } = tab;
  const { count, expanded, last, on, off } = heartbeat;
  const beating = on && tab.open;
  const times = count > 0 && `×${number(count)}`;
  const since = off ? t("beat.off", { time: clock(off).slice(0, 8) }) : t("beat.offAlways");
  const when = tab.imported ? "" : on ? t(beating ? "beat.every" : last ? "beat.again" : "beat.once") : since;
  return html`<div class=${classes("heartbeat", !beating && "stale")} role="group" aria-label=${t("heartbeat")}>
    <span class="time">${last ? clock(last.at) : "–"}</span>
    <span class="event">${shape("heartbeat")}${t("heartbeat")}${narrow() && html` <i>${[when, times].filter(Boolean).join(t("log.comma"))}</i>`}</span>
    <span class="type">${last && t(`type.${last.type}`)}</span>
    <span class="size">${last && bytes(last.size)}</span>
    <span class="trip">${last && millis(last.rtt)}</span>
    <div class="content">${!last && html`<span class="muted">${t("beat.none")}</span>`}<p id="mes" class="mono" tabindex=${last?.size > LONG ? 0 : null}>${last && reply(last)}</p></div>
    <div class="controls">
      ${!narrow() && html`<span class=${classes("when", beating && "usual")}>${when}</span>${sparkline(heartbeat.trips)}<span>${times}</span>`}
      ${last && html`<button type="button" class="icon-button" aria-expanded=${expanded} aria-label=${t("beat.rows")} title=${t("beat.rows")} onClick=${() => heartbeat.expand(!expanded)}>${icon(expanded ? "chevronDown" : "chevronRight")}</button>`}
      ${!tab.imported && html`<button type="button" role="switch" class="switch" aria-checked=${on} aria-label=${t("beat.switch")} title=${t("beat.switch")} onClick=${() => heartbeat.switch(!on)}><i></i></button>`}
    </div>
  </div>`;
}

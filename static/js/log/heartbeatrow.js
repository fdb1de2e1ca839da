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
const HEIGHT = 16;

function sparkline(trips) {
  if (trips.length < LEAST) return null;
  const known = trips.filter((trip) => trip !== null);
  const most = Math.max(...known, 0.001);
  const label = t("beat.trips", { n: trips.length, min: millis(Math.min(...known)), max: millis(most), lost: trips.length - known.length });
  return html`<svg class="sparkline" role="img" aria-label=${label} width=${trips.length * STEP} height=${HEIGHT} viewBox=${`0 0 ${trips.length * STEP} ${HEIGHT}`}>
    ${trips.map((trip, i) => {
      const tall = trip === null ? 2 : 3 + (trip / most) * 5;
      return html`<rect key=${i} class=${trip === null ? "lost" : i === trips.length - 1 && "newest"} x=${i * STEP} y=${HEIGHT - 1 - tall} width="1.5" height=${tall} />`;
    })}
  </svg>`;
}

function reply(row) {
  const [body, stamp] = splitStamp(row);
  if (typeof body === "string") return html`${body}${stamp && html`<span class="stamp">${stamp}</span>`}`;
  return hexLine(row.data);
}

export function HeartbeatRow({ tab }) {
  const { heartbeat } = tab;
  const { count, expanded, last, on } = heartbeat;
  const beating = on && tab.open;
  const small = narrow();
  const when = tab.imported ? "" : on ? t(beating ? "beat.every" : "beat.once") : heartbeat.off ? t("beat.off", { time: clock(heartbeat.off).slice(0, 8) }) : t("beat.offAlways");
  const times = count > 0 && html`<span class="count" aria-label=${t("beat.count", { n: number(count) })} role="img">×${number(count)}</span>`;
  return html`<div class=${classes("heartbeat", !beating && "stale")} role="group" aria-label=${t("heartbeat")}>
    <span class="time">${last ? clock(last.at) : "–"}</span>
    <span class="event">${shape("heartbeat")}${t("heartbeat")}${small && html`<i>${[when, count > 0 && `×${number(count)}`].filter(Boolean).join(t("log.comma"))}</i>`}</span>
    <span class="type">${last && t(`type.${last.type}`)}</span>
    <span class="size">${last && bytes(last.size)}</span>
    <span class="trip">${last && millis(last.rtt)}</span>
    <div class="content">${!last && html`<span class="muted">${t("beat.none")}</span>`}<p id="mes" class="mono">${last && reply(last)}</p></div>
    <div class="controls">
      ${!small && html`<span class=${classes("when", beating && "usual")}>${when}</span>${sparkline(heartbeat.trips)}${times}`}
      ${last && html`<button type="button" class="icon-button" aria-expanded=${expanded} aria-label=${t("beat.rows")} title=${t("beat.rows")} onClick=${() => heartbeat.expand(!expanded)}>${icon(expanded ? "chevronDown" : "chevronRight")}</button>`}
      ${!tab.imported && html`<button type="button" role="switch" class="switch" aria-checked=${on} aria-label=${t("beat.switch")} title=${t("beat.switch")} onClick=${() => heartbeat.switch(!on)}><i></i></button>`}
    </div>
  </div>`;
}

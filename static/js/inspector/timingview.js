// The round trips of the connection, and the server's clock against this browser's.
import { clockText } from "../connection/stateline.js";
import { clock, millis } from "../shared/format.js";
import { html } from "../shared/html.js";
import { language, number, t } from "../shared/i18n.js";
import { app } from "../state.js";
import { block, muted } from "./parts.js";
import { barPlot, dotPlot, rangePlot } from "./plot.js";
import { histogram, mostOf, roundStep, summary, ticks } from "./stats.js";

const SOON = 250; // ms after which new round trips are drawn
const IDLE = 1000; // ms after which it is drawn anew in any case: the times beneath move

const FIGURES = ["min", "median", "p95", "p99", "max"];
const drawn = new WeakMap(); // timing -> { at, key, measured, made }

/** Drawn a few times a second at most: 10,000 round trips are sorted for it. */
export function TimingView({ tab }) {
  const { timing } = tab;
  const now = performance.now();
  const key = [language(), tab.word, tab.imported, timing.trips.length > 0].join(" ");
  const known = drawn.get(timing);
  if (known?.key === key && now - known.at < (known.measured === timing.measured ? IDLE : SOON)) return known.made;
  const made = draw(tab);
  drawn.set(timing, { at: now, key, measured: timing.measured, made });
  return made;
}

function draw(tab) {
  const { timing } = tab;
  const values = timing.trips.map(({ rtt }) => rtt);
  const clockBlock = html`<${ClockBlock} tab=${tab} />`;
  if (values.length === 0) return html`<section class="block"><h2 class="title">${t("trips")}</h2><p class="muted">${t("trips.none")}</p></section>${clockBlock}`;
  const figures = summary(values);
  const live = tab.open || tab.imported;
  const count = timing.measured > values.length ? t("trips.last", { n: number(values.length), of: number(timing.measured) }) : number(timing.measured);
  return html`
    <section class="block">
      <div class="block-head"><h2 class="title">${t("trips")}</h2><span class="muted">${t(live ? "trips.count" : "trips.ended", { n: count })}</span></div>
      <dl class="figures-row">${FIGURES.map((name) => html`<div key=${name}><dt>${t(`trips.${name}`)}</dt><dd class=${name}>${millis(figures[name])}</dd></div>`)}</dl>
      ${dots(tab, figures)}
    </section>
    ${often(values)}
    ${clockBlock}
  `;
}

function ago(ms) {
  const s = Math.round(ms / 1000);
  return s < 120 ? t("ago.s", { n: s }) : s < 7200 ? t("ago.min", { n: Math.round(s / 60) }) : t("ago.h", { n: Math.round(s / 3600) });
}

function dots(tab, { min, max, median, p95 }) {
  const { trips } = tab.timing;
  const ms = max < 1000 ? 1 : 1000; // the axis is in ms or in s
  const marks = ticks(max / ms, 5, min > max / 3 ? min / ms : 0);
  const now = tab.open ? performance.timeOrigin + performance.now() : trips.at(-1).at;
  const from = trips[0].at;
  const x = (at) => (now > from ? (at - from) / (now - from) : 1);
  const ends = tab.open ? [ago(now - from), t("trips.now")] : [clock(from).slice(0, 8), clock(now).slice(0, 8)];
  const label = t("trips.plot", { n: number(trips.length), min: millis(min), max: millis(max), median: millis(median), p95: millis(p95) });
  return dotPlot({ points: trips.map(({ at, rtt }) => [x(at), rtt / ms]), marks, lines: [[p95 / ms, t("trips.p95")], [median / ms, t("trips.median")]], ends, unit: ms === 1 ? "ms" : "s", label });
}

function often(values) {
  const { step, bins } = histogram(values);
  const { from, to } = mostOf(bins);
  const most = to === null ? t("often.more", { from }) : t("often.most", { from, to });
  const by = step === 1 ? t("often.ms") : t("often.step", { step });
  const named = bins.map(({ from, to, count }) => ({ count, name: to === null ? `${from}+` : String(from), tail: to === null }));
  const label = t("often.plot", { n: number(values.length), most, counts: named.filter(({ count }) => count).map(({ name, count }) => `${name} ms: ${number(count)}`).join("; ") });
  return html`<section class="block"><div class="block-head"><h2>${t("often")} <span class="muted">${most}</span></h2>${muted(by)}</div>${barPlot({ bins: named, label })}</section>`;
}

function ClockBlock({ tab }) {
  const estimate = tab.timing.clock.estimate();
  if (!estimate) return null;
  const { offset, uncertainty } = estimate;
  const [low, high] = [offset - uncertainty, offset + uncertainty];
  const step = roundStep(Math.max(Math.abs(low), Math.abs(high)) / 2);
  const text = (ms, unit = "") => (ms === 0 ? "0" : `${ms < 0 ? "−" : "+"}${number(Math.abs(ms), step % 1 ? Math.ceil(-Math.log10(step)) : 0)}${unit}`);
  const marks = [-2, -1, 0, 1, 2].map((i) => [i * step, text(i * step, i === -2 ? " ms" : "")]);
  const words = clockText(tab);
  return block(t("clocks"), html`<b>${words}</b>`, rangePlot({ low, middle: offset, high, marks, label: words }), html`<p class="muted note">${t("clocks.text")}</p>`);
}

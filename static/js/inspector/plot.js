// Plots: shapes as SVG, words as HTML beside them. Across, both are placed in percent, so that a plot fills the inspector
// at any width. What it shows, it also has in words: `label`. The SVG is 1 px high and its shapes hang out of it: words
// above a picture have no background whose contrast could be measured.
import { html } from "../shared/html.js";

const WIDE = 1000; // units across, where percent cannot be used

const frame = (name, height, label, shapes, words) => html`<div class=${`plot ${name}`} style=${{ height: `${height}px` }} role="img" aria-label=${label}><svg height="1" aria-hidden="true">${shapes}</svg><div>${words}</div></div>`;

const percent = (part) => `${(100 * part).toFixed(2)}%`;
const line = (x1, y1, x2, y2, name) => html`<line x1=${percent(x1)} y1=${y1} x2=${percent(x2)} y2=${y2} class=${name} />`;
/** A text whose start, middle or end is at x, `dx` px aside, and whose middle is at y. */
const word = (x, y, text, name = "start", dx = 0) => html`<span class=${name} style=${{ left: percent(x), top: `${y}px`, marginLeft: `${dx}px` }}>${text}</span>`;

/**
 * A mark a reply over time. `points`: [[x, ms]], x from 0 to 1; `marks`: the axis; `lines`: [[ms, name]], the highest
 * first; `ends`: the texts beneath. `unit` stands beside the topmost mark.
 */
export function dotPlot({ points, marks, lines, ends, unit, label }) {
  const [top, height] = [14, 134];
  const [low, high] = [marks[0], marks.at(-1)];
  const at = (ms) => height - (height * (ms - low)) / (high - low);
  const y = (ms) => Math.round(top + at(ms));
  // One path for all marks, and one mark for those that fall together: 10,000 cost what can be told apart.
  const seen = new Set(points.map(([x, ms]) => `M${Math.round(x * WIDE)} ${at(ms).toFixed(1)}h0`));
  const [[p95], [median]] = lines;
  const apart = Math.max(0, (22 - (y(median) - y(p95))) / 2); // so that the two names do not touch
  return frame("dots", 172, label,
    html`${marks.map((mark) => line(0, y(mark), 1, y(mark), "rule"))}${lines.map(([ms]) => line(0, y(ms), 1, y(ms), "dashed"))}
      <svg y=${top} width="100%" height=${height} viewBox=${`0 0 ${WIDE} ${height}`} preserveAspectRatio="none"><path d=${[...seen].join("")} class="marks" /></svg>`,
    html`${marks.map((mark) => word(0, y(mark), mark === high ? `${mark} ${unit}` : mark, "end", -8))}
      ${lines.map(([ms, name], i) => word(1, y(ms) + (i ? apart : -apart), name, "start ink", 6))}
      ${word(0, 164, ends[0])}${word(1, 164, ends[1], "end")}`);
}

/** Counts over round trips. `bins`: [{ count, name, tail }], of many, every second has its name beneath. */
export function barPlot({ bins, label }) {
  const [top, height] = [10, 98];
  const most = Math.max(...bins.map(({ count }) => count));
  const step = 1 / bins.length;
  const tall = (count) => Math.max(2, Math.round((height * count) / most));
  return frame("bars", 134, label,
    html`${line(0, top, 1, top, "rule")}${line(0, top + height, 1, top + height, "axis")}
      ${bins.map(({ count, tail }, i) => count > 0 && html`<rect x=${percent(step * i + 0.002)} y=${top + height - tall(count)} width=${percent(step - 0.004)} height=${tall(count)} class=${tail ? "tail" : "bar"} />`)}`,
    html`${word(0, top, most, "end", -8)}${word(0, top + height, "0", "end", -8)}
      ${bins.map(({ name }, i) => i % (bins.length > 7 ? 2 : 1) === 0 && word(step * (i + 0.5), top + height + 14, name, "middle ink"))}`);
}

/** A range on an axis around 0. `marks`: [[ms, text]]. */
export function rangePlot({ low, middle, high, marks, label }) {
  const [from, to] = [marks[0][0], marks.at(-1)[0]];
  const x = (ms) => (ms - from) / (to - from);
  const y = 26;
  const anchors = ["start", "middle", "middle", "middle", "end"];
  return frame("range", 58, label,
    html`${line(0, y, 1, y, "axis")}${marks.map(([ms]) => line(x(ms), y - 4, x(ms), y + 4, "axis"))}${line(x(low), y, x(high), y, "wide")}<circle cx=${percent(x(middle))} cy=${y} r="5.5" class="middle" />`,
    marks.map(([ms, text], i) => word(x(ms), y + 20, text, anchors[i])));
}

/** A message's way from the browser's line down to the server's and back. `names`: of the two; `texts`: of the parts. */
export function wayPlot({ out, hold, back }, names, label, texts) {
  const [first, last, above, below] = [0.04, 0.953, 24, 62];
  const under = below + 14; // beneath the server's line: the path crosses no text there, however short a part is
  const x = (ms) => first + ((last - first) * ms) / (out + hold + back || 1);
  const points = [[first, above], [x(out), below], [x(out + hold), below], [last, above]];
  return frame("way", 88, label,
    html`${line(0, above, 1, above, "axis")}${line(0, below, 1, below, "axis")}
      ${points.slice(1).map(([to, y], i) => line(points[i][0], points[i][1], to, y, "path"))}
      ${points.map(([at, y]) => html`<circle cx=${percent(at)} cy=${y} r="3" />`)}`,
    html`${word(0, above, names[0], "ink", -92)}${word(0, below, names[1], "ink", -92)}
      ${word(first, under, texts.out)}${word(last, under, texts.back, "end")}${hold > 0 && word((first + last) / 2, under, texts.hold, "middle")}`);
}

// Plots as SVG, with axes and units. What they say, they also say in words: the caller sets aria-label.
import { millis } from "../shared/format.js";
import { ticks } from "./stats.js";

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const W = 352;
const LEFT = 48;

/** Round trips, one mark each, newest on the right. */
export function rttPlot(values, newest) {
  const H = 128;
  const marks = ticks(Math.max(...values), 3);
  const top = marks.at(-1);
  const x = (i) => LEFT + 4 + ((W - LEFT - 8) * i) / Math.max(1, values.length - 1);
  const y = (v) => H - 16 - ((H - 24) * v) / top;
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", "aria-hidden": "true" });
  for (const mark of marks) {
    root.append(svg("line", { x1: LEFT, x2: W, y1: y(mark), y2: y(mark), class: "gridline" }));
    root.append(svg("text", { x: LEFT - 6, y: y(mark) + 4, "text-anchor": "end" }, mark ? millis(mark) : "0"));
  }
  root.append(svg("polyline", { class: "line", points: values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ") }));
  if (values.length) root.append(svg("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 3, class: "dot" }));
  root.append(svg("text", { x: W, y: H - 3, "text-anchor": "end" }, `${newest} →`));
  return root;
}

/** Counts over round trips, the axis logarithmic. */
export function histogramPlot(bins) {
  const H = 88;
  const most = Math.max(...bins.map((bin) => bin.count));
  const step = (W - LEFT) / bins.length;
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", "aria-hidden": "true" });
  root.append(svg("line", { x1: LEFT, x2: W, y1: H - 16, y2: H - 16, class: "gridline" }));
  root.append(svg("text", { x: LEFT - 6, y: 12, "text-anchor": "end" }, String(most)));
  root.append(svg("text", { x: LEFT - 6, y: H - 13, "text-anchor": "end" }, "0"));
  bins.forEach((bin, i) => {
    if (!bin.count) return;
    const height = Math.max(1, ((H - 24) * bin.count) / most);
    root.append(svg("rect", { x: (LEFT + i * step + 1).toFixed(1), y: (H - 16 - height).toFixed(1), width: (step - 2).toFixed(1), height: height.toFixed(1), class: "bar-fill" }));
  });
  const places = [[0, "start"], [bins.length / 2, "middle"], [bins.length, "end"]];
  for (const [i, anchor] of places) {
    const value = i < bins.length ? bins[i].from : bins.at(-1).to;
    root.append(svg("text", { x: LEFT + i * step, y: H - 3, "text-anchor": anchor }, millis(value)));
  }
  return root;
}

// Round trips as they come: plot, figures, histogram, and the offset between the two clocks.
import { ClockOffset } from "./clock.js";
import { $, eachFrame, number } from "./dom.js";
import { millis } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { histogramPlot, rttPlot } from "./plot.js";
import { histogram, summary } from "./stats.js";

const KEPT = 10_000; // round trips that the figures are made of
const PLOTTED = 120;
const PAUSE = 200; // ms between two drawings: a flood of replies is not redrawn one by one

export function startTiming() {
  const clock = new ClockOffset();
  let values = [];
  let measured = 0;
  let timer = 0;

  const draw = eachFrame(() => {
    $("#rtt-count").textContent = measured ? t("rttCount", { n: number(measured) }) : "";
    const plot = $("#rtt-plot");
    const bars = $("#rtt-histogram");
    if (!values.length) {
      plot.replaceChildren(t("noRtt"));
      plot.setAttribute("aria-label", t("noRtt"));
      bars.replaceChildren();
      bars.setAttribute("aria-label", t("noRtt"));
    } else {
      const last = values.slice(-PLOTTED);
      const all = summary(values);
      const seen = summary(last);
      for (const name of ["min", "median", "p95", "p99", "max"]) $(`#rtt-${name}`).textContent = millis(all[name]);
      plot.replaceChildren(rttPlot(last, t("newest")));
      plot.setAttribute("aria-label", t("rttPlot", { n: last.length, min: millis(seen.min), max: millis(seen.max) }));
      const bins = histogram(values);
      const most = bins.reduce((a, b) => (b.count > a.count ? b : a));
      bars.replaceChildren(histogramPlot(bins));
      bars.setAttribute("aria-label", t("rttHistogram", { n: values.length, from: millis(most.from), to: millis(most.to) }));
    }
    const estimate = clock.estimate();
    $("#clock").textContent = estimate
      ? t(estimate.offset < 0 ? "clockBehind" : "clockAhead", { offset: millis(Math.abs(estimate.offset)), uncertainty: millis(estimate.uncertainty) })
      : "–";
  });
  const soon = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      draw();
    }, PAUSE);
  };
  onLanguage(draw);
  draw();

  return {
    add(rtt) {
      measured++;
      values.push(rtt);
      if (values.length > KEPT * 1.5) values = values.slice(-KEPT);
      soon();
    },
    stamp(sentAt, receivedAt, stamp) {
      clock.add(sentAt, receivedAt, stamp);
      soon();
    },
  };
}

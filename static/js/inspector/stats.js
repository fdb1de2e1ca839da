// Figures of a sample. Pure.

/** The p-th quantile (0..1) of numbers in order, between neighbours where it falls between them. */
export function quantile(sorted, p) {
  if (!sorted.length) return null;
  const place = (sorted.length - 1) * p;
  const low = Math.floor(place);
  const high = Math.ceil(place);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

export function summary(values) {
  const sorted = Float64Array.from(values).sort();
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
  };
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `rough`. */
export function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * (1 - 1e-9));
  return Number(step.toPrecision(6));
}

const BINS = { least: 5, most: 13 };

/**
 * Counts in equal steps of a round number of ms: { step, bins: [{ from, to, count }] }. The steps suit the values up to
 * the 95th percentile. If some lie far beyond, the last bin gathers them and has no `to`.
 */
export function histogram(values) {
  if (!values.length) return { step: 0, bins: [] };
  const { min, p95, max } = summary(values);
  const step = roundStep(Math.max((p95 - min) / (BINS.most - 4), 0.01));
  const place = (value) => Math.floor(value / step + 1e-9);
  const first = Math.max(0, place(min));
  const needed = place(max) - first + 1;
  const count = Math.max(BINS.least, Math.min(needed, BINS.most));
  const edge = (i) => Number(((first + i) * step).toPrecision(6));
  const bins = Array.from({ length: count }, (_, i) => ({ from: edge(i), to: edge(i + 1), count: 0 }));
  if (needed > count) bins[count - 1].to = null;
  for (const value of values) bins[Math.max(0, Math.min(count - 1, place(value) - first))].count++;
  return { step, bins };
}

/** The narrowest run of bins that has more than half of the values: { from, to }, `to` null if it reaches the tail. */
export function mostOf(bins) {
  const half = bins.reduce((sum, { count }) => sum + count, 0) / 2;
  for (let width = 1; width <= bins.length; width++) {
    let best = null;
    for (let i = 0; i + width <= bins.length; i++) {
      const count = bins.slice(i, i + width).reduce((sum, bin) => sum + bin.count, 0);
      if (count > half && (!best || count > best.count)) best = { from: bins[i].from, to: bins[i + width - 1].to, count };
    }
    if (best) return best;
  }
  return null;
}

/** Round marks for an axis from at most `low` to at least `max`: [0, 2, 4, 6]. */
export function ticks(max, about = 4, low = 0) {
  if (!(max > low)) return [0, max > 0 ? max : 1];
  const step = roundStep((max - low) / about);
  const out = [];
  for (let i = Math.floor(low / step); ; i++) {
    out.push(Number((i * step).toPrecision(6)));
    if (i * step >= max) return out;
  }
}

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

/** Counts in `bins` equal steps of the logarithm: round trips spread over decades. [{ from, to, count }] */
export function histogram(values, bins = 24) {
  const positive = values.map((v) => Math.max(v, 0.01));
  if (!positive.length) return [];
  let low = Math.min(...positive);
  let high = Math.max(...positive);
  if (high / low < 1.5) {
    low /= 1.25;
    high *= 1.25;
  }
  const step = Math.log(high / low) / bins;
  const out = Array.from({ length: bins }, (_, i) => ({
    from: low * Math.exp(step * i),
    to: low * Math.exp(step * (i + 1)),
    count: 0,
  }));
  for (const v of positive) out[Math.min(bins - 1, Math.floor(Math.log(v / low) / step))].count++;
  return out;
}

/** Round steps for an axis from 0 to at least `max`: [0, 2, 4, 6]. */
export function ticks(max, about = 4) {
  if (!(max > 0)) return [0, 1];
  const rough = max / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const out = [];
  for (let i = 0; i * step < max + step; i++) out.push(Number((i * step).toPrecision(6)));
  return out;
}

// Figures of round trips, and the offset of the clocks: node --test tests/page/stats.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockOffset } from "../../static/js/inspector/clock.js";
import { histogram, mostOf, quantile, summary, ticks } from "../../static/js/inspector/stats.js";

test("quantiles fall between neighbours, and an empty sample has none", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.deepEqual(summary([5, 1, 3]), { count: 3, min: 1, median: 3, p95: 4.8, p99: 4.96, max: 5 });
  assert.equal(summary([]).median, null);
});

test("a histogram counts every value once, the largest and a lone one too", () => {
  for (const values of [[1], [0, 0], [0.3, 0.31], [1, 10, 100, 1000], Array.from({ length: 999 }, (_, i) => i)]) {
    assert.equal(histogram(values).bins.reduce((sum, bin) => sum + bin.count, 0), values.length);
  }
  assert.deepEqual(histogram([]).bins, []);
});

test("a histogram has round steps, and its last bar gathers the tail", () => {
  const values = [36.8, 37.2, 37.9, 38, 38.2, 38.4, 38.8, 39.1, 39.9, 40.4, 42.2, 72.8];
  const { step, bins } = histogram([...values, ...values.slice(0, -1), ...values.slice(0, -1), ...values.slice(0, -1)]);
  assert.deepEqual([step, bins[0].from, bins[0].to, bins.at(-1).to, bins.at(-1).count], [1, 36, 37, null, 1]);
  assert.deepEqual(bins.slice(0, 4).map(({ count }) => count), [4, 8, 16, 8]);
  const { from, to } = mostOf(bins);
  assert.deepEqual([from, to], [37, 39]);
});

test("an axis reaches over its values in round steps, from 0 or from below the smallest", () => {
  assert.deepEqual(ticks(5.3, 3), [0, 2, 4, 6]);
  assert.deepEqual(ticks(0), [0, 1]);
  assert.deepEqual(ticks(72.8, 5, 36.8), [30, 40, 50, 60, 70, 80]);
});

test("the clock's offset lies between what every stamp allows", () => {
  const clock = new ClockOffset();
  assert.equal(clock.estimate(), null);
  // The server is 100 ms ahead; one round trip slow on the way back, one on the way there.
  clock.add(1000, 1040, 1102);
  clock.add(2000, 2040, 2138);
  const { offset, uncertainty } = clock.estimate();
  assert.ok(Math.abs(offset - 100) <= uncertainty, `${offset} ± ${uncertainty}`);
  assert.ok(uncertainty < 5, `narrower than each alone: ${uncertainty}`);
  // A bound on one side only, as a frame of the server's view gives it, narrows the estimate too.
  clock.add(2020, Infinity, 2121);
  assert.ok(clock.estimate().offset + clock.estimate().uncertainty <= 102);
  // The server's clock is set anew: its earlier stamps no longer count.
  clock.add(3000, 3002, 53_001);
  assert.ok(Math.abs(clock.estimate().offset - 50_000) < 2);
});

test("one side alone bounds no offset", () => {
  const clock = new ClockOffset();
  clock.add(1000, Infinity, 1100);
  assert.equal(clock.estimate(), null);
  clock.add(-Infinity, 1010, 1100);
  assert.deepEqual(clock.estimate(), { offset: 95.5, uncertainty: 5.5, samples: 2 });
});

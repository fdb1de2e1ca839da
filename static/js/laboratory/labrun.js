// The laboratory's measurements: the same exchange over a WebSocket and over HTTP, and pushes both ways.
import { headBytes, overEvents, overHttp, overWebSocket } from "./cost.js";
import { utf8Length } from "../shared/format.js";
import { stampOf } from "./pending.js";
import { summary } from "./stats.js";
import { build, ownUrl } from "./url.js";

const WARM = 5; // exchanges before the count begins: the first ones pay for connections and caches
const PATIENCE = 10_000;

const own = (options) => build(ownUrl(document.baseURI), new Map(options));

function late(reject) {
  return setTimeout(() => reject(new Error("timeout")), PATIENCE);
}

/** An open WebSocket and `next()`, which gives the next message. */
async function socket(options, signal) {
  const ws = new WebSocket(own(options), ["com.kaazing.echo"]);
  ws.binaryType = "arraybuffer";
  const came = [];
  let wanted = null;
  let over = null;
  ws.onmessage = (event) => {
    const one = { data: event.data, at: performance.now() };
    if (wanted) wanted.resolve(one);
    else came.push(one);
    wanted = null;
  };
  const opened = new Promise((resolve, reject) => {
    ws.onopen = resolve;
    ws.onclose = () => {
      over = new Error("WebSocket closed");
      reject(over);
      wanted?.reject(over);
    };
  });
  signal.addEventListener("abort", () => ws.close(), { once: true });
  await opened;
  const next = () =>
    came.length || over
      ? Promise[over && !came.length ? "reject" : "resolve"](over && !came.length ? over : came.shift())
      : new Promise((resolve, reject) => {
          const timer = late(reject);
          wanted = { resolve: (one) => (clearTimeout(timer), resolve(one)), reject: (error) => (clearTimeout(timer), reject(error)) };
        });
  return { ws, next };
}

const message = (size) => "x".repeat(size);

/** One at a time, N times: `once()` gives { cost, stamp, at? }. */
async function series(kind, size, times, once, progress, signal) {
  const exchanges = [];
  let cost = null;
  for (let i = -WARM; i < times; i++) {
    signal.throwIfAborted();
    const sent = performance.now();
    const answer = await once();
    const received = answer.at ?? performance.now();
    if (i < 0) continue;
    cost = answer.cost;
    exchanges.push({ sent, received, stamp: answer.stamp });
    progress();
  }
  const took = exchanges.at(-1).received - exchanges[0].sent;
  return { kind, size, times, ...summary(exchanges.map((e) => e.received - e.sent)), perSecond: (times / took) * 1000, cost, exchanges };
}

async function overSocket(size, times, progress, signal) {
  const { ws, next } = await socket([["compress", "off"]], signal);
  const text = message(size);
  try {
    return await series("ws", size, times, async () => {
      ws.send(text);
      const { data, at } = await next();
      return { cost: overWebSocket(size, utf8Length(data)), stamp: stampOf(data), at };
    }, progress, signal);
  } finally {
    ws.close();
  }
}

function overPolling(size, times, progress, signal) {
  const text = message(size);
  return series("poll", size, times, async () => {
    const response = await fetch(new URL("poll", document.baseURI), { method: "POST", body: text, cache: "no-store", signal });
    if (!response.ok) throw new Error(`POST poll: ${response.status}`);
    const body = await response.text();
    const heads = headBytes(response.headers.get("x-head-bytes"));
    if (!heads) throw new Error("no x-head-bytes");
    return { cost: overHttp(heads, size, utf8Length(body)), stamp: stampOf(body) };
  }, progress, signal);
}

function pushes(kind, every, arrivals, cost) {
  const gaps = arrivals.slice(1).map((a, i) => a.received - arrivals[i].received);
  const took = arrivals.at(-1).received - arrivals[0].received;
  return { kind, size: cost.payloadDown, every, times: arrivals.length, ...summary(gaps), perSecond: ((arrivals.length - 1) / took) * 1000, cost, exchanges: arrivals };
}

async function socketPushes(every, times, progress, signal) {
  const { ws, next } = await socket([["tick", `${every}ms`], ["compress", "off"]], signal);
  const arrivals = [];
  let length = 0;
  try {
    while (arrivals.length < times) {
      const { data, at } = await next();
      length = utf8Length(data);
      arrivals.push({ received: at, stamp: Number(data) || stampOf(data) });
      progress();
    }
  } finally {
    ws.close();
  }
  const { down } = overWebSocket(0, length);
  return pushes("tick", every, arrivals, { up: 0, down, payloadUp: 0, payloadDown: length });
}

function eventPushes(every, times, progress, signal) {
  const source = new EventSource(new URL(`events?every=${every}ms`, document.baseURI));
  const arrivals = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("timeout")), PATIENCE + every * times);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    source.onerror = () => reject(new Error("GET events"));
    source.onmessage = ({ data }) => {
      arrivals.push({ received: performance.now(), stamp: Number(data) });
      progress();
      if (arrivals.length < times) return;
      clearTimeout(timer);
      resolve(pushes("sse", every, arrivals, overEvents(data.length)));
    };
  }).finally(() => source.close());
}

/** Larger messages are exchanged fewer times: 16 MiB of them each way at most, and ten at least. */
export const timesFor = (size, times) => Math.min(times, Math.max(10, Math.floor((16 * 1024 * 1024) / size)));

/** Everything, one after the other so that nothing disturbs what is measured. `progress(done, of)`. */
export async function runLab({ times, sizes, every, pushes: count }, progress, signal) {
  const of = sizes.reduce((sum, size) => sum + 2 * timesFor(size, times), 2 * count);
  let done = 0;
  const step = () => progress(++done, of);
  const results = [];
  for (const size of sizes) {
    const n = timesFor(size, times);
    results.push(await overSocket(size, n, step, signal));
    results.push(await overPolling(size, n, step, signal));
  }
  results.push(await socketPushes(every, count, step, signal));
  results.push(await eventPushes(every, count, step, signal));
  return results;
}

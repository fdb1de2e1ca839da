// The laboratory's measurements: the same exchange over a WebSocket and over HTTP, and pushes both ways.
import { ownUrl, withQuery } from "../connection/url.js";
import { summary } from "../inspector/stats.js";
import { stampOf } from "../log/pending.js";
import { utf8Length } from "../shared/format.js";
import { headBytes, overEvents, overHttp, overWebSocket } from "./cost.js";

const WARM = 5; // exchanges before the count begins: the first ones pay for connections and caches
const PATIENCE = 10_000; // ms, beside the time between pushes

/** An open WebSocket and `next()`, which gives the next message. */
async function socket(options, signal, every = 0) {
  const ws = new WebSocket(withQuery(ownUrl(document.baseURI), { compress: "off", ...options }), ["com.kaazing.echo"]);
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
    new Promise((resolve, reject) => {
      if (came.length) return resolve(came.shift());
      if (over) return reject(over);
      const timer = setTimeout(() => reject(new Error("timeout")), PATIENCE + every);
      wanted = { resolve: (one) => (clearTimeout(timer), resolve(one)), reject: (error) => (clearTimeout(timer), reject(error)) };
    });
  return { ws, next };
}

const message = (size) => "x".repeat(size);

/** `times` exchanges, one at a time: `once()` gives { cost, stamp, at? }. `series` is filled as it goes. */
async function exchange(series, once, progress, signal) {
  const { exchanges, times } = series;
  let paused = 0; // ms in which the page drew how far it is: they count nowhere
  for (let i = -WARM; i < times; i++) {
    signal.throwIfAborted();
    const sent = performance.now();
    const { cost, stamp, at } = await once();
    const received = at ?? performance.now();
    if (i < 0) continue;
    series.cost = cost;
    exchanges.push({ sent: sent - paused, received: received - paused, stamp });
    await progress();
    paused += performance.now() - received;
  }
  const took = exchanges.at(-1).received - exchanges[0].sent;
  Object.assign(series, summary(exchanges.map((e) => e.received - e.sent)), { perSecond: (times / took) * 1000 });
}

async function overSocket(series, progress, signal) {
  const { ws, next } = await socket({}, signal);
  const text = message(series.size);
  try {
    await exchange(series, async () => {
      ws.send(text);
      const { data, at } = await next();
      return { cost: overWebSocket(series.size, utf8Length(data)), stamp: stampOf(data), at };
    }, progress, signal);
  } finally {
    ws.close();
  }
}

function overPolling(series, progress, signal) {
  const text = message(series.size);
  return exchange(series, async () => {
    const response = await fetch(new URL("poll", document.baseURI), { method: "POST", body: text, cache: "no-store", signal });
    if (!response.ok) throw new Error(`POST poll: ${response.status}`);
    const body = await response.text();
    const heads = headBytes(response.headers.get("x-head-bytes"));
    if (!heads) throw new Error("no x-head-bytes");
    return { cost: overHttp(heads, series.size, utf8Length(body)), stamp: stampOf(body) };
  }, progress, signal);
}

function pushed(series) {
  const { exchanges, cost } = series;
  const gaps = exchanges.slice(1).map((a, i) => a.received - exchanges[i].received);
  const took = exchanges.at(-1).received - exchanges[0].received;
  Object.assign(series, summary(gaps), { size: cost.payloadDown, perSecond: (gaps.length / took) * 1000 });
}

async function socketPushes(series, progress, signal) {
  const { every, times, exchanges } = series;
  const { ws, next } = await socket({ tick: `${every}ms` }, signal, every);
  try {
    while (exchanges.length < times) {
      const { data, at } = await next();
      const { down } = overWebSocket(0, utf8Length(data));
      series.cost = { up: 0, down, payloadUp: 0, payloadDown: utf8Length(data) };
      exchanges.push({ received: at, stamp: Number(data) || stampOf(data) });
      progress();
    }
  } finally {
    ws.close();
  }
  pushed(series);
}

async function eventPushes(series, progress, signal) {
  const { every, times, exchanges } = series;
  const source = new EventSource(new URL(`events?every=${every}ms`, document.baseURI));
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("timeout")), PATIENCE + every * times);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    source.onerror = () => reject(new Error("GET events"));
    source.onmessage = ({ data }) => {
      series.cost = overEvents(data.length);
      exchanges.push({ received: performance.now(), stamp: Number(data) });
      progress();
      if (exchanges.length < times) return;
      clearTimeout(timer);
      resolve();
    };
  }).finally(() => source.close());
  pushed(series);
}

/** Larger messages are exchanged fewer times: 16 MiB of them each way at most, and ten at least. */
export const timesFor = (size, times) => Math.min(times, Math.max(10, Math.floor((16 * 1024 * 1024) / size)));

/**
 * Everything, one after the other so that nothing disturbs what is measured. `progress(all)` is called after each
 * message with the series so far, the last of them being measured: { kind, size, times, cost, exchanges }, and its
 * figures once it is complete. An exchange waits for what it returns. Resolves to all series.
 */
export async function runLab({ times, sizes, every, pushes }, progress, signal) {
  const all = [];
  const run = async (measure, series) => {
    all.push({ cost: null, exchanges: [], ...series });
    await measure(all.at(-1), () => progress(all), signal);
  };
  for (const size of sizes) {
    await run(overPolling, { kind: "poll", size, times: timesFor(size, times) });
    await run(overSocket, { kind: "ws", size, times: timesFor(size, times) });
  }
  await run(eventPushes, { kind: "sse", every, times: pushes });
  await run(socketPushes, { kind: "tick", every, times: pushes });
  return all;
}

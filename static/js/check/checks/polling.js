// The check polling: long polling and Server-Sent Events, to which clients fall back, through the same proxy.
import { TIMEOUT } from "../link.js";
import { milliseconds, Pace } from "../pace.js";

const MESSAGE = "ws-echo check polls"; // the body of the request to /poll
const EVENTS = 12; // that are awaited
const HELD = 500; // ms: a delay from which a stream is held back. HAProxy waits for more bytes for 200 ms
const PATIENCE = 5000; // ms in which the events must arrive
const MAX_BODY = 64 * 1024; // characters of a response that are read

export async function polling(target, outcome) {
  if (target.isOther) return outcome.unknown("check.seen.noPolling");
  if (!target.isOwn) return outcome.unknown("check.page.otherOrigin");
  const control = new AbortController();
  target.signal.addEventListener("abort", () => control.abort(), { once: true });
  try {
    for (const answer of await Promise.all([poll(control.signal), events(control.signal)])) {
      target.signal.throwIfAborted();
      if (answer.pace) judgeEvents(outcome, answer.pace, answer.gzip);
      else outcome[answer.verdict](...answer.seen);
    }
  } finally {
    control.abort();
  }
}

const failed = (path, error) => ({ verdict: "broken", seen: ["failed", "check.seen.requestError", { path, error }] });
const missing = (...seen) => ({ verdict: "differs", seen: ["missing", ...seen] });

/** Sends a request. Resolves to { response }, or to { answer } if that is the outcome. */
async function request(path, options) {
  const began = performance.now();
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, TIMEOUT, null)));
  try {
    const response = await Promise.race([fetch(new URL(path, document.baseURI), { cache: "no-store", ...options }), late]);
    if (response?.status === 200) return { response };
    const path_ = `/${path.split("?")[0]}`;
    if (!response) return { late: true, answer: failed(path_, { key: "check.page.noResponse", vars: { time: { ms: performance.now() - began } } }) };
    return { answer: judgeStatus(path_, response.status, response.headers.get("server")) };
  } catch ({ message }) {
    return { answer: failed(`/${path.split("?")[0]}`, message) };
  } finally {
    clearTimeout(timer);
  }
}

/** A response other than 200. Pure. */
export function judgeStatus(path, status, server) {
  const seen = ["check.seen.status", { path, status: String(status), server: server ? { key: "check.seen.fromServer", vars: { name: server } } : "" }];
  return status >= 500 ? { verdict: "broken", seen: ["failed", ...seen] } : missing(...seen);
}

/** The parts of a body with their times, until the deadline: { text, at }, then { late }, { error } or { done }. */
async function* parts(body, deadline) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let read = 0;
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, deadline - performance.now(), { late: true })));
  try {
    while (read < MAX_BODY) {
      const part = await Promise.race([reader.read().catch(({ message }) => ({ error: message })), late]);
      if (part.late || part.error || part.done) return yield part;
      read += part.value.length;
      yield { text: part.value, at: performance.now() };
    }
    yield { done: true };
  } finally {
    clearTimeout(timer);
  }
}

async function poll(signal) {
  const began = performance.now();
  const { response, answer } = await request("poll", { method: "POST", body: MESSAGE, signal });
  if (answer) return answer;
  let body = "";
  for await (const { text, late, error } of parts(response.body, began + TIMEOUT)) {
    if (error) return failed("/poll", error);
    if (late) return { verdict: "broken", seen: ["failed", "check.seen.noBody", { time: { ms: TIMEOUT } }] };
    body += text ?? "";
  }
  if (!body.includes(MESSAGE)) return missing("check.seen.otherReplies");
  return { verdict: "ok", seen: ["check.seen.polled", { time: { ms: performance.now() - began } }] };
}

async function events(signal) {
  const { response, answer, late } = await request("events?every=100ms", { headers: { Accept: "text/event-stream" }, signal });
  if (late) return { ...answer, seen: ["held", ...answer.seen.slice(1)] };
  if (answer) return answer;
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return missing("check.seen.noStream");
  const stream = new Events();
  for await (const { text, at, done, error } of parts(response.body, performance.now() + PATIENCE)) {
    if (error) return failed("/events", error);
    if (done) return { verdict: "broken", seen: ["failed", "check.seen.streamEnded"] };
    if (text) stream.add(text, at);
    if (stream.pace.count >= EVENTS) break;
  }
  return { pace: stream.pace, gzip: response.headers.get("content-encoding") === "gzip" };
}

/** The events of a stream, whose data is the time of the server. Pure. */
export class Events {
  pace = new Pace();
  #rest = "";
  /** Adds the events that end in this part of the body. */
  add(text, at) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      const sent = line.startsWith("data: ") ? milliseconds(line.slice(6).trimEnd()) : null;
      if (sent !== null) this.pace.add(sent, at);
    }
  }
}

/** Pure. */
export function judgeEvents(outcome, pace, gzip) {
  const { count } = pace;
  const vars = { count, compressed: gzip ? { key: "check.seen.gzip" } : "", time: { ms: pace.mostLate } };
  if (!count) outcome.broken("held", "check.seen.noEvent", { ...vars, time: { ms: PATIENCE } });
  else if (pace.inLumps) {
    const seen = ["check.seen.eventLumps", { ...vars, groups: pace.groups }];
    if (pace.mostLate < HELD) outcome.differs("lumps", ...seen);
    else outcome.broken("held", ...seen);
  } else if (count < EVENTS) outcome.unknown("check.seen.someEvents", { ...vars, all: EVENTS });
  else outcome.ok("check.seen.events", vars);
  if (count) outcome.draw({ key: "check.page.events" }, pace);
}

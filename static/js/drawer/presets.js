// The presets of the drawer: a fault of the real world, as query keys. Pure.

const of = (id, query) => ({ id, pairs: [...new URLSearchParams(query)] });

export const PRESETS = [
  of("slow", "delay=800ms&jitter=400ms"),
  of("flaky", "jitter=300ms&drop=0.1&seed=7"),
  of("restart", "close=1012:deploying&after=30s"),
  of("overloaded", "close=1013:overloaded&after=3"),
  of("expired", "close=4401:token%20expired&after=3"),
  of("login", "handshake-status=401"),
  of("reset", "abort&after=5s"),
  of("halfopen", "freeze&after=10s"),
  of("utf8", "wire=utf8&after=1"),
  of("frame", "wire=rsv&after=1"),
  of("hangs", "close-reply=off"),
  of("subprotocol", "subprotocol=none"),
  of("link", "rate=2000&fragment=512"),
  of("first", "hello=json&tick=2s"),
];

const text = (pairs) => pairs.map(([key, value]) => `${key}=${value}`).sort().join("&");

/** The preset whose faults these are, in any order; undefined when there is none. */
export const presetOf = (pairs) => PRESETS.find((preset) => text(preset.pairs) === text(pairs));

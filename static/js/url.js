// What a connection is asked to do, as a URL and as the part of the page's own address after `#`. Pure.

const DURATION = /^(\d+(ms|s|m|h))+$/;
const COUNT = /^[1-9]\d{0,9}$/;
const PROBABILITY = /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/;
const SIZE = /^\d+(\.\d+)?([KMG]i?B|B)?$/i;

/** Everything that the server knows, in the order of the form. `only` is the one value of a switch. */
export const OPTIONS = [
  { key: "reply", values: ["stamped", "verbatim", "json", "none"] },
  { key: "delay", test: DURATION, eg: "200ms" },
  { key: "jitter", test: DURATION, eg: "100ms" },
  { key: "drop", test: PROBABILITY, eg: "0.1" },
  { key: "duplicate", test: PROBABILITY, eg: "0.1" },
  { key: "seed", test: /^\d{1,20}$/, eg: "7" },
  { key: "tick", test: DURATION, eg: "1s" },
  { key: "close", test: /^\d{4}(:.*)?$/, eg: "4401:bye" },
  { key: "abort", only: "" },
  { key: "wire", values: ["rsv", "opcode", "masked", "length", "utf8", "continuation", "close-code", "close-length"] },
  { key: "after", test: new RegExp(`${COUNT.source}|${DURATION.source}`), eg: "3" },
  { key: "fragment", test: COUNT, eg: "16" },
  { key: "rate", test: COUNT, eg: "1000" },
  { key: "pong", only: "off" },
  { key: "close-reply", only: "off" },
  { key: "compress", only: "off" },
  { key: "max-message-size", test: SIZE, eg: "64KiB" },
  { key: "subprotocol", test: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/, eg: "none" },
  { key: "handshake-delay", test: DURATION, eg: "2s" },
  { key: "handshake-status", test: /^[345]\d\d$/, eg: "503" },
  { key: "watch", test: /^[A-Za-z0-9_-]{16,64}$/, eg: "16-64 A-Za-z0-9_-" },
];

const KNOWN = new Map(OPTIONS.map((option) => [option.key, option]));

/** Is this a value that the server takes? The browser would not show the server's own answer to a bad one. */
export function valid(key, value) {
  const { values, test, only } = KNOWN.get(key);
  if (values) return values.includes(value);
  return test ? test.test(value) : value === only;
}

/** Keys whose asking means that the connection is meant to end, or not to be: dialling again would only repeat it. */
const ENDINGS = ["close", "abort", "wire", "handshake-status"];
export const endsByItself = (url) => ENDINGS.some((key) => new URL(url).searchParams.has(key));

// encodeURIComponent, but readable where a query allows it.
const encode = (text) => encodeURIComponent(text.toWellFormed?.() ?? text).replace(/%3A/g, ":").replace(/%2C/g, ",");

/** The WebSocket URL for `base` (http and https are taken as ws and wss) with `options`, a Map of key to value. */
export function build(base, options) {
  const url = new URL(base);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError("ws:, wss:");
  url.hash = "";
  const kept = url.search.slice(1).split("&").filter((pair) => pair && !options.has(decodeKey(pair)));
  const ours = [...options].map(([key, value]) => (value === "" ? key : `${key}=${encode(value)}`));
  const query = [...kept, ...ours].join("&");
  url.search = "";
  return query ? `${url.href}?${query}` : url.href;
}

function decodeKey(pair) {
  const key = pair.split("=")[0].replaceAll("+", " ");
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** `a, b c` as a list, each once: a browser refuses a list that has one twice. */
export const protocolList = (text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

export const DEFAULT_PROTOCOLS = "com.kaazing.echo";

/** The page's state as the part after `#`; what is as it comes is left out. */
export function toHash({ view = "console", base = "", protocols = DEFAULT_PROTOCOLS, options = new Map() }) {
  const pairs = [];
  if (base) pairs.push(`url=${encode(base)}`);
  if (protocols !== DEFAULT_PROTOCOLS) pairs.push(`protocols=${encode(protocols)}`);
  for (const [key, value] of options) pairs.push(value === "" ? key : `${key}=${encode(value)}`);
  if (!pairs.length) return view === "console" ? "" : `#${view}`;
  return `#${view}?${pairs.join("&")}`;
}

/** The reverse. What it does not know, or what is not valid, it leaves out: an address is anybody's input. */
export function fromHash(hash) {
  const [view, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const state = { view: view === "lab" ? "lab" : "console", base: "", protocols: DEFAULT_PROTOCOLS, options: new Map() };
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === "url") state.base = value;
    else if (key === "protocols") state.protocols = value;
    else if (KNOWN.has(key) && valid(key, value)) state.options.set(key, value);
  }
  return state;
}

/** This page's own directory as a WebSocket URL, so that the page works under any path prefix. */
export function ownUrl(page) {
  const url = new URL("./", page);
  url.search = url.hash = "";
  return build(url.href, new Map());
}

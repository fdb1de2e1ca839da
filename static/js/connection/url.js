// URLs of connections: what a user types, the query keys in it, and the page's own address. Pure.

export const DEFAULT_PROTOCOLS = "com.kaazing.echo";

/** Keys that let the connection end, or not begin: another attempt would only repeat it. */
const ENDINGS = ["close", "abort", "fin", "freeze", "wire", "handshake", "handshake-status"];
export const endsByItself = (url) => ENDINGS.some((key) => new URL(url).searchParams.has(key));

/**
 * Reads what a user typed: `localhost:3000` is a URL without its scheme, which is wss on a page over https and for
 * port 443, else ws. Returns { url } or { error }, the key of a text.
 */
export function readUrl(text, secure = globalThis.location?.protocol === "https:") {
  let typed = text.trim();
  if (!typed) return { error: "url.empty" };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(typed)?.[1].toLowerCase();
  if (!scheme) typed = `${secure || /^[^/?#]*:443([/?#]|$)/.test(typed) ? "wss" : "ws"}://${typed}`;
  let url;
  try {
    url = new URL(typed);
  } catch {
    return { error: "url.bad" };
  }
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") return { error: "url.scheme" };
  if (!url.hostname) return { error: "url.host" };
  url.hash = "";
  return { url: url.href };
}

/** This page's own directory as a WebSocket URL, so that the page works under any path prefix. */
export function ownUrl(page) {
  const url = new URL("./", page);
  url.search = url.hash = "";
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// encodeURIComponent, but readable where a query allows it.
const encode = (text) => encodeURIComponent(text.toWellFormed?.() ?? text).replace(/%3A/g, ":").replace(/%2C/g, ",");

/** `key` or `key=value` as it stands in a query. */
export const pair = (key, value) => (value === "" ? key : `${key}=${encode(value)}`);

const pairsOf = (url) => url.split("#")[0].split(/\?(.*)/s)[1]?.split("&").filter(Boolean) ?? [];
const decode = (text) => new URLSearchParams(`x=${text}`).get("x");
const split = (text) => {
  const [key, value = ""] = text.split(/=(.*)/s);
  return [decode(key), decode(value)];
};

/** The query of a URL text, in order: [[key, value]]. The text need not be a good URL. */
export const queryOf = (url) => pairsOf(url).map(split);

/** The URL text with each of `changes` set, to each value of a list, or removed where it is null. The rest stays as it is. */
export function withQuery(url, changes) {
  const left = new Map(Object.entries(changes));
  const pairs = [];
  const add = (key) => {
    for (const value of [left.get(key) ?? []].flat()) pairs.push(pair(key, value));
    left.set(key, null);
  };
  for (const text of pairsOf(url)) {
    const [key] = split(text);
    if (left.has(key)) add(key);
    else pairs.push(text);
  }
  for (const key of left.keys()) add(key);
  const base = url.split(/[?#]/)[0];
  return pairs.length ? `${base}?${pairs.join("&")}` : base;
}

/** `a, b c` as a list, each once: a browser refuses a list that has one twice. */
export const protocolList = (text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** The page's address after `#` for a view and a connection. The page's own URL and the default are left out. */
export function toHash({ view, url, protocols, own }) {
  const [base] = url.split("?");
  const pairs = [];
  if (base !== own) pairs.push(pair("url", base));
  if (protocols !== DEFAULT_PROTOCOLS) pairs.push(pair("protocols", protocols));
  pairs.push(...pairsOf(url));
  if (!pairs.length) return view === "console" ? "" : `#${view}`;
  return `#${view}?${pairs.join("&")}`;
}

/** The reverse of toHash: { view, url, protocols }. */
export function fromHash(hash, own) {
  const [view, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const state = { view: view === "lab" || view === "check" ? view : "console", url: own, protocols: DEFAULT_PROTOCOLS };
  const pairs = [];
  for (const text of query.split("&").filter(Boolean)) {
    const [key, value] = split(text);
    if (key === "url") state.url = value;
    else if (key === "protocols") state.protocols = value;
    else pairs.push(text);
  }
  if (pairs.length) state.url += `${state.url.includes("?") ? "&" : "?"}${pairs.join("&")}`;
  return state;
}

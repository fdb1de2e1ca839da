// The faults in a URL: its query keys that the server knows, and the presets. Pure.
import { queryOf, withQuery } from "./url.js";

// Until the server has given its list, these keys count: a server without the list still is an echo server.
const KNOWN = "reply hello tick push delay jitter handshake-delay rate read-rate ping drop duplicate seed close abort fin freeze close-reply after wire fragment compress pong max-message-size handshake handshake-status auth subprotocol set-header end-stream goaway window";

/** The keys that a drawer or chip may show. `list` is the server's list of keys or null. */
export const knownKeys = (list) => new Set(list?.keys?.length ? list.keys.map((key) => key.name).filter((name) => name !== "watch") : KNOWN.split(" "));

/** [[key, value]] of the URL's known keys, in order. */
export function faultsOf(url, list) {
  const known = knownKeys(list);
  return queryOf(url).filter(([key]) => known.has(key));
}

/** The URL with these faults and no other; keys that are no faults, such as `watch`, stay. */
export function withFaults(url, pairs, list) {
  const known = knownKeys(list);
  const without = withQuery(url, Object.fromEntries(queryOf(url).filter(([key]) => known.has(key)).map(([key]) => [key, null])));
  return withQuery(without, Object.fromEntries(pairs));
}

/** Both lists of pairs as texts: what a chip shows. */
export const pairText = ([key, value]) => (value === "" ? key : `${key}=${value}`);

// The handshake's request as it arrived, beside what a browser sends: what was added, changed or removed on the way.
// Pure. A browser does not show a page its request, so this knows what browsers send, and marks only what no browser
// sends.

/** Fields that a browser may send of its own accord, with values that the page cannot tell. */
const USUAL = ["accept", "accept-encoding", "accept-language", "authorization", "cache-control", "cookie", "dnt", "pragma", "priority", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-storage-access", "sec-gpc", "sec-websocket-key", "te", "user-agent"];
/** Fields worth a look even if they are as they were sent. The others are shown on request. */
const TELLING = ["host", "connection", "upgrade", "origin", "sec-websocket-protocol", "sec-websocket-extensions", "cookie", "authorization"];
/** Fields of every response. */
const UNTELLING = ["connection", "upgrade", "sec-websocket-accept", "x-connection-id", "date"];

const normal = (value) => value.replace(/\s*([,;])\s*/g, "$1");

/** What this browser has sent: a Map of name to value, and the target of the request line. */
export function sent({ url, protocols, origin }) {
  const { host, pathname, search } = new URL(url);
  const fields = new Map([
    ["Host", host],
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Origin", origin],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Extensions", "permessage-deflate"],
  ]);
  if (protocols.length) fields.set("Sec-WebSocket-Protocol", protocols.join(", "));
  return { target: pathname + search, fields };
}

/** Browsers differ in two values, and spaces in a list are no difference. */
function same(key, value, expected) {
  if (key === "connection") return value === expected || value === `keep-alive, ${expected}`;
  if (key === "sec-websocket-extensions") return normal(value).startsWith(expected);
  return normal(value) === normal(expected);
}

/**
 * Compares a request ({ line, headers, omitted }) with what was sent. Returns { line: { text, was }, fields: [{ name, value,
 * mark, was, telling }] }, mark one of "", "added", "changed", "removed". Removed fields come last.
 */
export function compare({ line, headers, omitted }, { target, fields }) {
  const left = new Map([...fields].map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const seen = headers.map(([name, value]) => {
    const key = name.toLowerCase();
    const expected = left.get(key)?.value;
    left.delete(key);
    const mark = expected === undefined ? (USUAL.includes(key) ? "" : "added") : same(key, value, expected) ? "" : "changed";
    return { name, value, mark, was: mark === "changed" ? expected : "", telling: mark !== "" || TELLING.includes(key) };
  });
  if (!omitted) for (const { name, value } of left.values()) seen.push({ name, value, mark: "removed", was: "", telling: true });
  const arrived = line.split(" ")[1] ?? "";
  return { line: { text: line, was: arrived === target || arrived[0] !== "/" ? "" : target }, fields: seen };
}

/** The response, as the server sent it: what it accepted, and what is not in every response. */
export const response = ({ line, headers }) => ({
  line: { text: line, was: "" },
  fields: headers.map(([name, value]) => ({ name, value, mark: "", was: "", telling: !UNTELLING.includes(name.toLowerCase()) })),
});

/** The windows of permessage-deflate in bits, [the server's, the client's]; null without it (RFC 7692, section 7.1). */
export function windows(extensions) {
  if (!/^\s*permessage-deflate\b/.test(extensions ?? "")) return null;
  const bits = (side) => Number(new RegExp(`${side}_max_window_bits="?(\\d+)`).exec(extensions)?.[1] ?? 15);
  return [bits("server"), bits("client")];
}

/** The field that names the client: null if the peer is the client itself. */
export function clientField({ client, peer, request }) {
  const host = /^\[?(.*?)\]?:\d+$/.exec(peer)?.[1] ?? peer;
  if (!client?.address || client.address === host) return null;
  return request.headers.some(([name]) => name.toLowerCase() === "forwarded") ? "Forwarded" : "X-Forwarded-For";
}

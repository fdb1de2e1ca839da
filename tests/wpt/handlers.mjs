// The URL of ws-echo for each handler of web-platform-tests' websockets/handlers: docs/wpt.md has the same table in words.

const encoded = encodeURIComponent;

const cookie = (attributes) => (query) => `set-header=${encoded(`Set-Cookie:ws_test_${query}=test; ${attributes}`)}`;

const NAMES = ["unspecified", "lax", "strict", "none"];
const SAME_SITE = ["", "; SameSite=Lax", "; SameSite=Strict", "; SameSite=None; Secure"];

/** Sets the four cookies of a page of another site. `?clear` removes them. */
function sameSite(query) {
  const value = new URLSearchParams(query).get("value") ?? "1";
  const age = query.includes("clear") ? "; Max-Age=0" : "";
  const fields = NAMES.map((name, index) => `Set-Cookie:samesite-${name}=${value}; Path=/${SAME_SITE[index]}${age}`);
  return fields.map((field) => `set-header=${encoded(field)}`).join("&");
}

function remoteClose(query) {
  const parameters = new URLSearchParams(query);
  if (parameters.has("abrupt")) return "fin";
  const code = parameters.get("code");
  const reason = parameters.get("reason");
  return `close=${code ?? ""}${code && reason ? `:${encoded(reason)}` : ""}`;
}

function policies(query) {
  const parameters = new URLSearchParams(query);
  const fields = { coep: "Cross-Origin-Embedder-Policy", corp: "Cross-Origin-Resource-Policy" };
  const set = Object.keys(fields).filter((key) => parameters.has(key));
  return set.map((key) => `set-header=${encoded(`${fields[key]}:${parameters.get(key)}`)}`).join("&");
}

const UNTIL_GOODBYE = "close=1000&after=text:Goodbye";
const CONNECTION = "hello=json&close=1000";

/** The query of ws-echo, or a function of the handler's query and of the subprotocol that the client offers first. */
const QUERIES = {
  "basic_auth": "auth=foo:bar&close=1000",
  "delayed-passive-close": "reply=none&close-reply=1s&close=1000&after=1",
  "echo": `reply=verbatim&${UNTIL_GOODBYE}`,
  "echo-cookie": CONNECTION,
  "echo-query": (query) => `hello=${encoded(`text:${query}`)}&close=1000`,
  "echo-query_v13": (query) => `hello=${encoded(`text:${query}`)}&close=1000`,
  "echo_close_data": `reply=none&${UNTIL_GOODBYE}`,
  "echo_exit": `reply=none&${UNTIL_GOODBYE}`,
  "echo_raw": "reply=verbatim&wire=opcode&after=1",
  "empty-message": "reply=verbatim&close=1000&after=1",
  "handshake_no_extensions": "compress=off&close=1000",
  "handshake_no_protocol": "subprotocol=none&close=1000",
  "handshake_protocol": "subprotocol=foobar&close=1000",
  "handshake_sleep_2": "handshake-delay=2s&close=1000",
  "invalid": "handshake=garbage",
  "origin": CONNECTION,
  "passive-close-abort": "reply=none&close-reply=fin",
  "protocol": (_, offer) => `hello=text:${offer}&close=1000`,
  "protocol_array": (_, offer) => `hello=text:${offer}&close=1000`,
  "receive-backpressure": "compress=off&reply=none&read-rate=2000000&close=1000&after=1",
  "receive-many-with-backpressure": "compress=off&reply=json&read-rate=655360",
  "referrer": CONNECTION,
  "remote-close": remoteClose,
  "send-backpressure": "compress=off&push=16MiB",
  "set-co-policies": policies,
  "set-cookie": cookie("Path=/"),
  "set-cookie-secure": cookie("Secure; Path=/"),
  "set-cookie_http": cookie("Path=/; HttpOnly"),
  "set-cookies-samesite": sameSite,
  "simple_handshake": "close=1001:PASS&set-header=Set-Cookie:ws_test=test",
  "sleep_10_v13": `handshake-delay=10s&reply=verbatim&${UNTIL_GOODBYE}`,
  "wrong_accept_key": "handshake=wrong-accept&hello=text:test&close=1000",
};

/** Returns the path and query of ws-echo for a request to a handler. Without a handler the answer is 404, as of wpt's server. */
export function targetFor(target, offers = "") {
  const [path, query = ""] = target.split(/\?(.*)/s);
  const found = QUERIES[path.slice(1)];
  return `${path}?${(typeof found === "function" ? found(query, offers.split(",")[0]) : found) ?? "handshake-status=404"}`;
}

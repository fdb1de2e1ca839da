// Lines that make the same connection with another client. Pure; each is run by a test.

const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const json = (value) => JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

/** A key of 16 random bytes (RFC 6455, section 4.1). */
const nonce = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));

const http = (url) => url.replace(/^ws/, "http");

/** [{ name, line({ url, protocols }) }]: `protocols` is a list. */
export const COMMANDS = [
  { name: "websocat", line: ({ url, protocols }) => ["websocat", ...(protocols.length ? ["--protocol", shell(protocols.join(", "))] : []), shell(url)].join(" ") },
  { name: "wscat", line: ({ url, protocols }) => ["npx wscat -c", shell(url), ...protocols.map((name) => `-s ${shell(name)}`)].join(" ") },
  {
    name: "JavaScript",
    line: ({ url, protocols }) => `const socket = new WebSocket(${json(url)}, ${json(protocols)});
socket.onopen = () => socket.send("hello");
socket.onmessage = ({ data }) => console.log(data);
socket.onclose = ({ code, reason }) => console.log("closed", code, reason);
`,
  },
  {
    name: "Python",
    line: ({ url, protocols }) => `from websockets.sync.client import connect  # pip install websockets

with connect(${json(url)}, subprotocols=${json(protocols)} or None) as socket:
    socket.send("hello")
    print(socket.recv())
`,
  },
  {
    name: "curl",
    line: ({ url, protocols }) =>
      ["curl -i -N --http1.1 --max-time 2", "-H 'Connection: Upgrade' -H 'Upgrade: websocket'", `-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: ${nonce()}'`, ...(protocols.length ? [`-H ${shell(`Sec-WebSocket-Protocol: ${protocols.join(", ")}`)}`] : []), shell(http(url))].join(" "),
  },
];

// Opens each URL with one client and prints what happened, as JSON: node client.mjs ws|undici KIND=URL...
import { createRequire } from "node:module";

const [, , name, directory, ...targets] = process.argv;
const load = createRequire(`${directory}/`);
const WebSocket = name === "ws" ? load("ws") : load("undici").WebSocket;

const open = (kind, url) =>
  new Promise((resolve) => {
    const socket = kind === "two-subprotocols" ? new WebSocket(url, ["a", "b"]) : new WebSocket(url);
    let state = "fails";
    const timer = setTimeout(() => resolve("waits"), 5000);
    const end = (result) => {
      clearTimeout(timer);
      resolve(result);
      socket.close();
    };
    socket.onopen = () => {
      state = "opens, and the first frame is lost";
      if (kind !== "glued") socket.send("x");
      else setTimeout(() => end(state), 500);
    };
    socket.onmessage = () => end("opens");
    socket.onerror = () => end(state);
    socket.onclose = () => end(state);
  });

const results = {};
for (const target of targets) {
  const [kind, url] = target.split(/=(.*)/s);
  results[kind] = await open(kind, url);
}
console.log(JSON.stringify(results));
process.exit();

// The classic tutorial's server: `ws` on Node's http. `--compress=on` enables permessage-deflate, which `ws` disables by
// default.
"use strict";

const http = require("node:http");
const { WebSocketServer } = require("ws");

const server = http.createServer((request, response) => response.end("ws"));
const sockets = new WebSocketServer({ server, perMessageDeflate: process.argv.includes("--compress=on") });

sockets.on("connection", (socket, request) => {
  const verbatim = request.url.includes("reply=verbatim");
  socket.on("message", (message, isBinary) => {
    if (verbatim) socket.send(message, { binary: isBinary });
    else socket.send(`客户端发送的信息：${message},${Date.now()}`);
  });
});

server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});

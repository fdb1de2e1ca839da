// Bun's built-in server, as in its documentation. `--compress=on` enables permessage-deflate. In Bun, each call of `send`
// must request the compression too.
const compress = process.argv.includes("--compress=on");

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, server) {
    const verbatim = request.url.includes("reply=verbatim");
    if (server.upgrade(request, { data: { verbatim } })) return;
    return new Response("ws");
  },
  websocket: {
    perMessageDeflate: compress,
    message(socket, message) {
      if (socket.data.verbatim) socket.send(message, compress);
      else socket.send(`客户端发送的信息：${message},${Date.now()}`);
    },
  },
});

console.log(`listening on 127.0.0.1:${server.port}`);

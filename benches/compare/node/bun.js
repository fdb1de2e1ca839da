// Bun's built-in server, as its documentation has it. `--compress=on` turns permessage-deflate on, which has to be asked
// for with each message too.
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

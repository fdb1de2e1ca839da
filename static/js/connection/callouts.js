// Texts of the callouts, and whether a tab has one.
import { explain } from "./explain.js";

/** The explanation of a tab's end that is shown, or null. */
export function closable(tab) {
  if (tab.imported || tab.dismissed || tab.open || tab.word === "connecting") return null;
  const { end } = tab;
  const url = tab.used?.url ?? tab.url;
  const last = end ? Math.max(end.lastSent ?? 0, end.lastReceived ?? 0) : 0;
  return explain({ end, url, silent: end?.opened ? end.at - (last || end.at - end.lasted) : 0, heartbeat: tab.heartbeat.on, invalid: tab.invalid });
}

export default {
  "callout.lost": ["The connection ended without a Close frame", "连接中断，没有收到 Close 帧"],
  "callout.refused": ["The handshake was refused", "握手被拒绝"],
  "callout.asked": ["The handshake was refused, as the URL asked", "握手被拒绝，正如 URL 所要求"],
  "callout.gone": ["Nothing answers at {host}", "{host} 没有应答"],
  "callout.unknown": ["The handshake failed", "握手失败"],
  "callout.invalid": ["This is no URL for a WebSocket", "不是 WebSocket URL"],
  "callout.away": ["The server is going away", "服务器即将停止，或放弃了空闲连接"],
  "callout.protocol": ["This browser saw a frame that the protocol forbids", "本浏览器收到协议禁止的帧"],
  "callout.policy": ["The server will not go on", "服务器拒绝继续"],
  "callout.large": ["The message was too large", "消息太大"],
  "callout.error": ["Server error", "服务器错误"],
  "callout.restart": ["The server restarts, come back later", "服务器说：正在重启，请稍后再来"],
  "callout.overloaded": ["The server is overloaded", "服务器说：过载，请稍后再试"],
  "callout.code": ["The server closed the connection", "服务器关闭了连接"],

  "what.lost": ["Code {code}, not clean.", "代码 {code}，非正常关闭。"],
  "what.lost.more": ["The browser makes this number up if no Close frame came. It is never on the wire, and the server did not send it.", "没有收到 Close 帧时，浏览器会自行给出这个代码。它不会出现在网络上，也不是服务器发送的。"],
  "what.lasted": ["Open for {lasted}. Nothing crossed in the last {silent}.", "连接持续了 {lasted}。最后 {silent} 内没有任何收发。"],
  "what.refused": ["The page sees error, then 1006.", "网页只看到 error，然后是 1006。"],
  "what.refused.more": ["No browser tells a page the status of a refused handshake.", "握手被拒绝时，浏览器不向网页提供状态码。"],
  "what.status": ["The server answered {status}.", "服务器的响应是 {status}。"],
  "what.gone": ["The page sees error, then 1006.", "网页只看到 error，然后是 1006。"],
  "what.gone.more": ["Neither the handshake nor {path} got an answer.", "握手和 {path} 都没有得到应答。"],
  "what.unknown.more": ["The browser does not tell a page whether the handshake was refused or nothing answers there.", "浏览器不会说明是握手被拒绝，还是没有应答。"],
  "what.code": ["Code {code}, reason “{reason}”, clean.", "代码 {code}，原因“{reason}”，正常关闭。"],
  "what.code.plain": ["Code {code}, no reason, clean.", "代码 {code}，没有原因，正常关闭。"],
  "what.code.more": ["The server sent a Close frame, and this browser answered it with the same code.", "服务器发来 Close 帧，本浏览器以同样的代码回应。"],
  "what.protocol.more": ["The browser failed the connection. It does not show a page the frame.", "浏览器随即断开了连接，但不向网页显示该帧。"],

  why: ["Why", "为什么"],
  "why.far": ["Why, as far as this page can tell", "为什么（就本页所知）"],
  next: ["Next", "下一步"],
  "grade.certain": ["Certain", "确定"],
  "grade.likely": ["Likely", "很可能"],
  "grade.possible": ["Possible", "可能"],
  "grade.ruledOut": ["Ruled out", "已排除"],
  "grade.elsewhere": ["Elsewhere", "别处"],
  "cause.asked": ["The URL asks for it: `{pair}`.", "URL 要求如此：`{pair}`。"],
  "cause.askedAfter": ["The URL asks for it: `{pair}`, after `{after}`.", "URL 要求如此：`{pair}`，在 `{after}` 之后。"],
  "cause.askedRefusal": ["The URL asks for it: `{pair}`. The server is there: `/healthz` answered.", "URL 要求如此：`{pair}`。服务器在线：`/healthz` 有应答。"],
  "cause.cut": ["A crash, a proxy that cuts, or a network that changed looks the same.", "进程崩溃、代理切断或网络切换，看起来都一样。"],
  "cause.idle": ["A proxy cut an idle connection: nothing crossed for {s} s. nginx and an AWS load balancer cut after 60 s by default.", "代理切断了空闲连接：{s} 秒内没有任何收发。nginx 和 AWS 负载均衡默认 60 秒后切断。"],
  "cause.idleNoBeat": ["A proxy cut an idle connection: the heartbeat is off, and nothing crossed for {s} s. 30 s is a usual `timeout client` of HAProxy; nginx and an AWS load balancer cut after 60 s by default.", "代理切断了空闲连接：心跳已关闭，{s} 秒内没有任何收发。HAProxy 的 `timeout client` 通常是 30 秒；nginx 和 AWS 负载均衡默认 60 秒后切断。"],
  "cause.network": ["The network changed, or the server’s process died. ws-echo itself sends 1001 before it stops.", "网络发生变化，或服务器进程终止。ws-echo 停止前会先发送 1001。"],
  "cause.wasOpen": ["A refused handshake (it was open), a cut that the URL asks for (none is there).", "握手被拒绝（曾经连接成功）；URL 要求的中断（没有此参数）。"],
  "cause.forbidden": ["A frame that RFC 6455 forbids, such as a reserved bit, an unknown opcode or text that is not UTF-8.", "RFC 6455 禁止的帧，例如保留位、未知操作码，或不是 UTF-8 的文本。"],
  "cause.server": ["The server gives its reason: “{reason}”.", "服务器说明了原因：“{reason}”。"],
  "cause.away": ["It is stopping, or it gave up an idle connection. Clients should reconnect.", "服务器正在停机，或放弃了空闲连接。客户端应当重连。"],
  "cause.policy": ["The server refuses this client, not this moment. Clients should not reconnect by themselves.", "服务器拒绝的是这个客户端，而非这一时刻。客户端不应自动重连。"],
  "cause.large": ["A message exceeds the receiver’s limit.", "消息超过了接收方的上限。"],
  "cause.error": ["The server met a condition that it did not expect.", "服务器遇到了意外情况。"],
  "cause.retryLater": ["A deployment or a restart. After 1001, 1012 and 1013 clients should reconnect, after 1008 and 4401 they should not.", "部署或重启。1001、1012、1013 应当重连，1008、4401 不应重连。"],
  "cause.refusal": ["A 503 means a full or stopping server, or a proxy with no server behind it. A 401 or 403 means missing credentials.", "503 表示服务器已满或正在停止，或者代理后面没有服务器。401 或 403 表示缺少凭据。"],
  "cause.answers": ["The server is there: `/healthz` answered.", "服务器在线：`/healthz` 有应答。"],
  "cause.limits": ["It is full, it limits handshakes from this address, or it does not allow this page’s origin.", "服务器已满、限制了该地址的握手次数，或不允许本页的来源。"],
  "cause.query": ["A value in the query is invalid: the answer says which.", "查询参数的值无效：响应会指出是哪一个。"],
  "cause.absent": ["No server is running there, or the port is another one.", "那里没有运行服务器，或者端口不对。"],
  "cause.firewall": ["A firewall or a proxy drops the connection.", "防火墙或代理丢弃了连接。"],
  "cause.refusedThere": ["The server refused the handshake.", "服务器拒绝了握手。"],
  "cause.certificate": ["The browser does not trust the certificate: open the https URL once to see.", "浏览器不信任证书：用 https 打开一次即可看到。"],

  "next.reconnect": ["Reconnect", "重新连接"],
  "next.alive": ["Reconnect with pings and heartbeat", "重新连接并开启 Ping 和心跳"],
  "next.again": ["Again", "再来一次"],
  "next.tryAgain": ["Try again", "重试"],
  "next.without": ["Connect without the fault", "去掉故障并连接"],
  "next.retry": ["Try now", "立即重试"],
  "next.stop": ["Stop trying", "停止重试"],
  "next.edit": ["Edit the URL", "修改 URL"],
  "next.view": ["Show the frame (server’s view)", "显示该帧（服务器视角）"],
  "next.limit": ["Show the limit", "显示上限"],
  "next.curl": ["Copy as curl, to see the answer", "复制为 curl 命令，查看响应"],
};

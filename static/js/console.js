// The console: wires the connection to the panels. What the page shows of a message goes through textContent only.
import { startClosePanel } from "./closepanel.js";
import { startConnectForm } from "./connectform.js";
import { Connection } from "./connection.js";
import { startDetail } from "./detail.js";
import { $, copy, download, eachFrame, number } from "./dom.js";
import { jsonLine, predicate } from "./filter.js";
import { bytes, clock, hexLine, lasted, millis, utf8Length } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { Log } from "./log.js";
import { LogList } from "./loglist.js";
import { Pending, stampOf, stampOfBytes } from "./pending.js";
import { startSendForm } from "./sendform.js";
import { startTiming } from "./timing.js";
import { endsByItself } from "./url.js";
import { newKey, Pairing, Watch } from "./watch.js";

const SHOWN = 2000; // characters of a reply that the readout shows; the log has them all
const COPIED = 10_000; // rows that one press of Copy takes; the download takes all

// The epoch with fractions: Date.now() alone has whole milliseconds only.
const epoch = (at = performance.now()) => performance.timeOrigin + at;

export function startConsole({ view }) {
  const log = new Log();
  const pending = new Pending();
  const counts = { sent: 0, received: 0 };
  const pairs = { received: new Pairing(), sent: new Pairing() }; // by what the server says it did
  let target = null;
  let last = null; // the last state's report, to say it again in the other language
  let shake = null; // likewise the last handshake's
  let openedAt = 0;
  let retryAt = 0;

  const connection = new Connection((name, detail) => on[name](detail));
  const timing = startTiming();
  const showClose = startClosePanel({ connection });
  const form = startConnectForm({ onConnect: dial, view });
  const sending = startSendForm({ send, connection });
  const showDetail = startDetail({ onClose: () => list.unselect() });
  const list = new LogList($("#log"), log, {
    onSelect: showDetail,
    onFollow: (following) => ($("#follow").hidden = following || log.frozen),
  });

  function add(kind, fields) {
    const row = log.add({ at: epoch(fields.now), kind, type: "", size: 0, rtt: null, stamp: null, data: null, note: null, server: null, ...fields });
    list.refresh();
    showCounts();
    return row;
  }

  // The server's view. It is watched before the connection is dialled, so that its first frame is seen too.
  const watch = new Watch((event, detail) => {
    if (event === "handshake") {
      pairs.received.clearSeen();
      pairs.sent.clearSeen();
    } else if (event === "message") {
      pairs[detail.direction].message(detail);
    } else if (event === "control") {
      add("frame", { note: { key: `note.${detail.direction}`, vars: { name: detail.name } }, size: detail.length, server: detail });
    } else if (event === "lost") {
      add("error", { note: { key: "note.lost", vars: { n: detail.count } } });
    }
    list.refresh();
  });
  let key = "";

  async function dial() {
    const wanted = form.take();
    if (!wanted) return;
    target = wanted;
    const url = new URL(target.url);
    const ours = url.host === new URL(form.own).host;
    const asked = url.searchParams.get("watch");
    list.columns.server = Boolean(asked && ours);
    if (asked && ours) await watch.open(new URL(`watch/${encodeURIComponent(asked)}`, document.baseURI));
    else watch.close();
    if (target !== wanted) return; // dialled again meanwhile
    connection.open({
      ...target,
      stay: !endsByItself(target.url),
      probe: ours ? new URL("healthz", document.baseURI).href : null,
    });
  }
  $("#watching").addEventListener("change", (event) => {
    key ||= newKey();
    form.set("watch", event.target.checked ? key : "");
    dial();
  });

  function send(data) {
    const now = performance.now();
    if (!connection.send(data)) return false;
    pending.push({ data, now });
    counts.sent++;
    const text = typeof data === "string";
    const row = add("sent", { now, type: text ? "text" : "binary", size: text ? utf8Length(data) : data.length, data });
    if (list.columns.server) pairs.received.row(row);
    return true;
  }

  const on = {
    state(detail) {
      last = detail;
      if (detail.state !== "open") openedAt = 0;
      if (detail.state !== "gone") retryAt = 0;
      showState();
    },
    opened({ protocol, extensions, took }) {
      openedAt = performance.now();
      pending.clear();
      pairs.received.clearRows();
      pairs.sent.clearRows();
      shake = { protocol, extensions, took };
      add("open", { note: { key: "note.open", vars: { protocol: protocol || "–", extensions: extensions || "–", took: millis(took) } } });
      showState();
      sending.beat();
    },
    message({ data, at }) {
      const body = typeof data === "string" ? data : new Uint8Array(data);
      const text = typeof body === "string";
      const answered = pending.take(body);
      const rtt = answered ? at - answered.now : null;
      const stamp = text ? stampOf(body) : stampOfBytes(body);
      counts.received++;
      const row = add("received", { now: at, type: text ? "text" : "binary", size: text ? utf8Length(body) : body.length, data: body, rtt, stamp });
      if (list.columns.server) pairs.sent.row(row);
      reply = { body, stamp: stamp ?? null, rtt };
      if (rtt !== null) timing.add(rtt);
      if (answered && stamp) timing.stamp(epoch(answered.now), epoch(at), stamp);
      showReply();
    },
    error() {
      add("error", { note: { key: "note.error" } });
    },
    closed({ code, reason, wasClean }) {
      add("close", { data: reason || null, size: utf8Length(reason), note: { key: wasClean ? "note.clean" : "note.unclean", vars: { code } } });
      showClose({ code, reason, wasClean });
    },
    retry({ wait }) {
      retryAt = performance.now() + wait;
      tick();
    },
  };

  let reply = null;
  const showReply = eachFrame(() => {
    const { body, stamp, rtt } = reply;
    const text = typeof body === "string" ? body : hexLine(body, 48);
    const mes = $("#mes");
    const cut = text.length > SHOWN ? text.slice(0, SHOWN) : text;
    // The stamp is set apart by colour; what is there as text stays the reply, whole and in order.
    const at = typeof body === "string" && stamp !== null && cut === text && text.endsWith(`,${stamp}`) ? text.lastIndexOf(",") : -1;
    if (at > 0) {
      const mark = document.createElement("span");
      mark.className = "stamp";
      mark.textContent = text.slice(at);
      mes.replaceChildren(text.slice(0, at), mark);
    } else {
      mes.textContent = cut;
    }
    mes.dataset.length = text.length > 240 ? "long" : text.length > 64 ? "medium" : "short";
    $("#mes-more").textContent = cut === text ? "" : t("moreText", { n: number(text.length - cut.length) });
    if (rtt !== null) $("#rtt").textContent = millis(rtt);
    if (stamp !== null) $("#server-time").textContent = clock(stamp);
    const pulse = $("#pulse");
    pulse.classList.add("on");
    for (const animation of pulse.getAnimations({ subtree: true })) {
      animation.cancel();
      animation.play();
    }
  });

  function showState() {
    const { state, why } = last;
    const node = $("#state");
    node.dataset.state = state;
    node.dataset.why = why;
    node.textContent = t(`state.${state}`);
    const code = last.code === undefined ? "" : last.reason ? `${last.code} ${last.reason}` : String(last.code);
    const key = state === "closing" ? "why.closing" : why === "asked" && !code ? "why.asked.early" : `why.${why}`;
    $("#why").textContent = t(key, { url: target.url, code, message: last.message ?? "" });
    $("#connect").textContent = t(state === "gone" ? "connectNow" : state === "closed" ? "connect" : "reconnect");
    $("#connect").classList.toggle("primary", state === "closed" || state === "gone");
    $("#close").disabled = state === "closed" || state === "closing";
    $("#close-with").disabled = state !== "open" && state !== "connecting";
    $("#send").disabled = state !== "open";
    $("#protocol").textContent = openedAt ? shake.protocol || t("none") : "–";
    $("#handshake").textContent = shake
      ? t("handshakeSays", { protocol: shake.protocol || t("none"), extensions: shake.extensions || t("none"), took: millis(shake.took) })
      : "";
    $("#mes").classList.toggle("stale", state !== "open");
    tick();
  }

  const showCounts = eachFrame(() => {
    $("#sent-count").textContent = number(counts.sent);
    $("#received-count").textContent = number(counts.received);
    const all = log.filtered ? t("logShown", { n: number(log.length), total: number(log.total) }) : t("logCount", { n: number(log.total) });
    $("#log-count").textContent = log.frozen ? `${all}, ${t("logPaused", { n: number(log.missed) })}` : all;
    const cap = t("logCap", { rows: number(log.maxRows), size: bytes(log.maxBytes) });
    $("#log-cap").textContent = log.dropped ? `${cap} ${t("logDropped", { n: number(log.dropped) })}` : cap;
  });

  function tick() {
    $("#open-for").textContent = openedAt ? lasted(performance.now() - openedAt) : "–";
    const wait = Math.ceil((retryAt - performance.now()) / 1000);
    $("#retry").textContent = !retryAt ? "" : wait > 0 ? t("retryIn", { s: wait }) : t("retrying");
  }

  // The log's own controls.
  function applyFilter() {
    const set = (value) => (value ? new Set(value.split(" ")) : null);
    try {
      log.filter(predicate({ kinds: set($("#kinds").value), types: set($("#types").value), text: $("#find").value, regex: $("#regex").checked }));
      $("#find-error").textContent = "";
      $("#find").removeAttribute("aria-invalid");
    } catch {
      $("#find-error").textContent = t("badRegex");
      $("#find").setAttribute("aria-invalid", "true");
      return;
    }
    list.reset();
    showCounts();
  }
  $("#filter").addEventListener("input", (event) => event.target.id !== "watching" && applyFilter());
  $("#filter").addEventListener("submit", (event) => event.preventDefault());
  $("#pause").addEventListener("click", (event) => {
    log.freeze(!log.frozen);
    event.target.setAttribute("aria-pressed", log.frozen);
    event.target.dataset.i18n = log.frozen ? "resume" : "pause";
    event.target.textContent = t(event.target.dataset.i18n);
    list.refresh();
    showCounts();
  });
  $("#clear").addEventListener("click", () => {
    log.clear();
    list.reset();
    showCounts();
  });
  $("#follow").addEventListener("click", () => list.follow());
  $("#copy-log").addEventListener("click", (event) => {
    const lines = [];
    for (let i = Math.max(0, log.length - COPIED); i < log.length; i++) lines.push(jsonLine(log.at(i)));
    copy(`${lines.join("\n")}\n`, event.target);
  });
  $("#download").addEventListener("click", () => {
    const parts = [];
    for (let i = 0; i < log.length; i++) parts.push(jsonLine(log.at(i)), "\n");
    download("ws-echo.jsonl", "application/jsonl", parts);
  });

  $("#connect").addEventListener("click", dial);
  $("#close").addEventListener("click", () => connection.close());
  addEventListener("hashchange", () => {
    if (view() !== "console") return;
    form.load();
    dial();
  });
  setInterval(tick, 250);
  const label = () => {
    $("#mes").dataset.empty = t("noReply");
    $("#follow").textContent = `↓ ${t("follow")}`;
    $("#pause").textContent = t($("#pause").dataset.i18n);
    if (last) showState();
    if (reply) showReply();
    showCounts();
  };
  onLanguage(label);
  label();
  $("#watching").checked = Boolean($("#opt-watch").value);
  dial();
  return { leave: form.leave };
}

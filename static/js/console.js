// The console: wires the connection to the page. What the page shows of a message goes through textContent only.
import { Connection } from "./connection.js";
import { bytes, clock, lasted, millis, utf8Length } from "./format.js";
import { language, onLanguage, t } from "./i18n.js";
import { Log } from "./log.js";
import { LogList } from "./loglist.js";
import { Pending, stampOf, stampOfBytes } from "./pending.js";

const BEAT = 2000;
const SHOWN = 2000; // characters of a reply that the readout shows; the log has them all

const $ = (selector) => document.querySelector(selector);
const number = (n) => new Intl.NumberFormat(language() === "zh" ? "zh-CN" : "en").format(n);
// The epoch with fractions: Date.now() alone has whole milliseconds only.
const epoch = (at = performance.now()) => performance.timeOrigin + at;

/** This page's own directory as a WebSocket URL, so that the page works under any path prefix. */
export function ownUrl(base = document.baseURI) {
  const url = new URL("./", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  return url.href;
}

export function startConsole() {
  const log = new Log();
  const pending = new Pending();
  const counts = { sent: 0, received: 0 };
  let target = ownUrl();
  let last = null; // the last state's report, to say it again in the other language
  let openedAt = 0;
  let retryAt = 0;
  let protocol = null;

  const list = new LogList($("#log"), log, { onFollow: (following) => ($("#follow").hidden = following) });
  const connection = new Connection((name, detail) => on[name](detail));

  const add = (kind, fields) => {
    log.add({ at: epoch(fields.now), kind, type: "", size: 0, rtt: null, stamp: null, data: null, note: null, ...fields });
    list.refresh();
    showCounts();
  };

  function dial() {
    connection.open({ url: target, protocols: ["com.kaazing.echo"], probe: new URL("healthz", document.baseURI).href });
  }

  function send(data) {
    const now = performance.now();
    if (!connection.send(data)) return false;
    pending.push({ data, now });
    counts.sent++;
    const text = typeof data === "string";
    add("sent", { now, type: text ? "text" : "binary", size: text ? utf8Length(data) : data.length, data });
    return true;
  }

  const on = {
    state(detail) {
      last = detail;
      if (detail.state !== "open") openedAt = 0;
      if (detail.state !== "gone") retryAt = 0;
      showState();
    },
    opened({ protocol: chosen, extensions, took }) {
      openedAt = performance.now();
      pending.clear();
      protocol = chosen;
      add("open", { note: { key: "note.open", vars: { protocol: chosen || "–", extensions: extensions || "–", took: millis(took) } } });
      showState();
      beat();
    },
    message({ data, at }) {
      const body = typeof data === "string" ? data : new Uint8Array(data);
      const text = typeof body === "string";
      const answered = pending.take(body);
      const rtt = answered ? at - answered.now : null;
      const stamp = text ? stampOf(body) : stampOfBytes(body);
      counts.received++;
      add("received", { now: at, type: text ? "text" : "binary", size: text ? utf8Length(body) : body.length, data: body, rtt, stamp });
      showReply(text ? body : `${body.length} B`, text ? stamp : null);
      if (rtt !== null) $("#rtt").textContent = millis(rtt);
      if (stamp !== null) $("#server-time").textContent = clock(stamp);
    },
    error() {
      add("error", { note: { key: "note.error" } });
    },
    closed({ code, reason, wasClean }) {
      add("close", { data: reason || null, size: utf8Length(reason), note: { key: wasClean ? "note.clean" : "note.unclean", vars: { code } } });
    },
    retry({ wait }) {
      retryAt = performance.now() + wait;
      tick();
    },
  };

  function showReply(text, stamp) {
    const mes = $("#mes");
    const cut = text.length > SHOWN ? text.slice(0, SHOWN) : text;
    // The stamp is set apart by colour; what is there as text stays the reply, whole and in order.
    const at = stamp !== null && cut === text ? text.lastIndexOf(",") : -1;
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
    const pulse = $("#pulse");
    pulse.classList.add("on");
    for (const animation of pulse.getAnimations()) {
      animation.cancel();
      animation.play();
    }
  }

  function showState() {
    const { state, why } = last;
    const node = $("#state");
    node.dataset.state = state;
    node.dataset.why = why;
    node.textContent = t(`state.${state}`);
    const code = last.code === undefined ? "" : last.reason ? `${last.code} ${last.reason}` : String(last.code);
    const key = state === "closing" ? "why.closing" : why === "asked" && !code ? "why.asked.early" : `why.${why}`;
    $("#why").textContent = t(key, { url: target, code, message: last.message ?? "" });
    $("#connect").textContent = t(state === "gone" ? "connectNow" : state === "closed" ? "connect" : "reconnect");
    $("#connect").classList.toggle("primary", state === "closed" || state === "gone");
    $("#close").disabled = state === "closed" || state === "closing";
    $("#send").disabled = state !== "open";
    $("#protocol").textContent = openedAt ? protocol || t("none") : "–";
    $("#mes").classList.toggle("stale", state !== "open");
    tick();
  }

  function showCounts() {
    $("#sent-count").textContent = number(counts.sent);
    $("#received-count").textContent = number(counts.received);
    $("#log-count").textContent = t("logCount", { n: number(log.total) });
    const cap = t("logCap", { rows: number(log.maxRows), size: bytes(log.maxBytes) });
    $("#log-cap").textContent = log.dropped ? `${cap} ${t("logDropped", { n: number(log.dropped) })}` : cap;
  }

  function tick() {
    $("#open-for").textContent = openedAt ? lasted(performance.now() - openedAt) : "–";
    const wait = Math.ceil((retryAt - performance.now()) / 1000);
    $("#retry").textContent = !retryAt ? "" : wait > 0 ? t("retryIn", { s: wait }) : t("retrying");
  }

  let beating = 0;
  function beat() {
    clearInterval(beating);
    if (!$("#classic").checked) return;
    const say = () => send(String(Date.now()));
    say();
    beating = setInterval(say, BEAT);
  }

  $("#connect").addEventListener("click", dial);
  $("#close").addEventListener("click", () => connection.close());
  $("#classic").addEventListener("change", beat);
  $("#clear").addEventListener("click", () => {
    log.clear();
    list.reset();
    showCounts();
  });
  $("#follow").addEventListener("click", () => list.follow());
  $("#send-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (send($("#message").value)) $("#message").select();
  });
  $("#message").addEventListener("keydown", (event) => {
    // isComposing: the Enter that picks a word in an input method does not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("#send-form").requestSubmit();
    }
  });
  setInterval(tick, 250);
  onLanguage(() => {
    $("#mes").dataset.empty = t("noReply");
    $("#follow").textContent = `↓ ${t("follow")}`;
    if (last) showState();
    showCounts();
  });
  $("#mes").dataset.empty = t("noReply");
  $("#follow").textContent = `↓ ${t("follow")}`;
  showCounts();
  dial();
}

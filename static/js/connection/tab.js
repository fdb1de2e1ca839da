// One connection tab: its URL, its connection, its log and its figures. The actions of the page on a connection are the
// methods of this class; each changes the state and calls changed().
import { Repeat } from "../exchange/repeat.js";
import { Finder } from "../log/find.js";
import { Log, newRow } from "../log/log.js";
import { rowText } from "../log/notes.js";
import { Pending, pairUp, stampOf, stampOfBytes } from "../log/pending.js";
import { Timing } from "../inspector/timing.js";
import { utf8Length } from "../shared/format.js";
import { app, changed } from "../state.js";
import { Heartbeat } from "./heartbeat.js";
import { remember, rememberProtocols } from "./history.js";
import { Socket } from "./socket.js";
import { DEFAULT_PROTOCOLS, endsByItself, ownUrl, protocolList, queryOf, readUrl, withQuery } from "./url.js";
import { newKey, ServerView } from "./watch.js";

let tabs = 0;

/** The epoch with fractions: Date.now() alone has whole milliseconds. */
export const epoch = (at = performance.now()) => performance.timeOrigin + at;

export class Tab {
  id = ++tabs;
  imported = null; // the name of the file that the log comes from; such a tab cannot connect or send
  url; // what the address bar holds, text
  protocols = DEFAULT_PROTOCOLS; // what the subprotocol field holds, text
  used = null; // { url, protocols } of the present or last connection

  word = "closed"; // connecting | open | closing | closed | refused | lost | gone
  began = 0; // performance.now() of the attempt
  opened = null; // { at, protocol, extensions, took } of the present or last connection that opened
  end = null; // the last end, as Socket reports it, with `at` (epoch ms), lastSent, lastReceived
  retry = null; // { at, attempt } while waiting for the next attempt
  dismissed = false; // the callout of this end was closed by the user
  invalid = ""; // why the browser does not try the URL

  sent = 0;
  received = 0;
  rtt = null; // of the last reply
  stamp = null; // the server's milliseconds in the last reply
  lastSent = null; // epoch ms
  lastReceived = null;

  log = new Log();
  selected = null; // the row in the inspector; null: the last reply
  following = true; // the log stays at its newest row
  find = { text: "", regex: false, kinds: "", types: "" }; // what the log shows: log/find.js
  finder = new Finder(this.log, rowText, changed);
  exchange = null; // { sent, replies, started }: rows of the last exchange that was not a heartbeat
  draft = { kind: "text", text: "", file: null, error: null, before: null }; // the next message: exchange/draft.js
  repeat = new Repeat(this, changed);
  timing = new Timing();
  heartbeat;
  view; // the server's view

  #seen = 0; // rows that the log had shown when it last stood at its newest
  #dialled = ""; // the URL of the present or last attempt: `used` is the next one while the old connection closes
  #pending = new Pending();
  #socket = new Socket((name, detail) => {
    this.#on[name](detail ?? {});
    changed();
  });

  constructor({ url = ownUrl(document.baseURI), protocols = DEFAULT_PROTOCOLS } = {}) {
    this.url = url;
    this.protocols = protocols;
    this.heartbeat = new Heartbeat(this);
    this.view = new ServerView(this);
    this.applyFilter();
  }

  get state() {
    return this.#socket.state;
  }
  get open() {
    return this.#socket.state === "open";
  }
  get waiting() {
    return this.#pending.size;
  }
  get bufferedAmount() {
    return this.#socket.bufferedAmount;
  }
  /** Does the address bar hold something else than what is connected? */
  get changed() {
    return this.used !== null && (this.url !== this.used.url || this.protocols !== this.used.protocols);
  }

  /** The URL field is left: a URL without its scheme gets one. */
  settleUrl() {
    const { url } = readUrl(this.url);
    if (url) this.url = url;
  }

  /** Connects to what the address bar holds; an open connection is closed first. Does nothing while the URL is bad. */
  async connect(why = "reconnect") {
    const read = readUrl(this.url);
    if (read.error || this.imported) return;
    this.url = read.url;
    const target = { url: read.url, protocols: this.protocols };
    rememberProtocols(this.protocols.trim());
    this.used = target;
    this.invalid = "";
    this.dismissed = false;
    this.#endRetries();
    app.popover = null;
    changed();
    await this.view.follow(read.url);
    if (this.used !== target) return; // connected anew meanwhile
    const ours = new URL(read.url).host === new URL(ownUrl(document.baseURI)).host;
    this.#socket.open(
      {
        url: read.url,
        protocols: protocolList(this.protocols),
        retry: !endsByItself(read.url),
        probe: ours ? new URL("healthz", document.baseURI).href : null,
      },
      why,
    );
  }

  /** Closes with a code and reason that were checked, or stops trying. */
  close(code = 1000, reason = "") {
    this.#socket.close(code, reason);
    changed();
  }
  /** Closes with a code and reason that were checked; once that has ended, connects to what the address bar holds. */
  closeAndReconnect(code, reason) {
    this.#socket.close(code, reason);
    this.connect();
  }
  retryNow() {
    this.#socket.retryNow();
  }
  stopRetrying() {
    this.retry = null;
    this.#socket.close();
    this.view.ended();
    changed();
  }

  /** Ends everything that the tab has running. */
  dispose() {
    this.heartbeat.stop();
    this.repeat.stop();
    this.#socket.close(1000, "", "tab");
    this.view.close();
  }

  /** Sends a string or a Uint8Array. Returns false, and sends nothing, while the connection is not open. */
  send(data, beat = false) {
    const now = performance.now();
    if (!this.#socket.send(data)) return false;
    const text = typeof data === "string";
    const row = this.add("sent", { now, type: text ? "text" : "binary", size: text ? utf8Length(data) : data.length, data, beat });
    this.#pending.push({ data, now, row });
    this.sent++;
    this.lastSent = row.at;
    this.view.add(row, "received");
    if (beat) this.heartbeat.sent(row);
    else this.exchange = { sent: row, replies: [] };
    return true;
  }

  /** Adds a row to the log. `now` is its performance.now() if that was earlier than this call. */
  add(kind, { now, ...fields } = {}) {
    const row = newRow({ at: epoch(now), kind, ...fields });
    this.log.add(row);
    changed();
    return row;
  }

  /** Takes the rows of a file as the log of this tab, which cannot connect. */
  load(name, rows) {
    this.imported = name;
    pairUp(rows);
    for (const row of rows) {
      this.log.add(row);
      if (row.rtt !== null) this.timing.add(row);
      if (row.beat && row.kind === "received") {
        this.heartbeat.count++;
        this.heartbeat.last = row;
      } else if (row.kind === "received") this.exchange = { sent: row.pair, replies: [row] };
      else if (row.kind === "sent" && !row.beat) this.exchange = { sent: row, replies: [] };
    }
  }

  /** Shows the rows that `find` accepts; heartbeats only while their row is open. */
  applyFilter() {
    this.finder.apply(this.find, this.heartbeat.expanded);
  }
  /** Holds the log's rows as they are, or goes on with those that have come. */
  pause(paused) {
    this.log.freeze(paused);
    if (!paused) this.applyFilter();
    changed();
  }
  clear() {
    this.log.clear();
    this.follow();
  }

  select(row) {
    if (this.following) this.#seen = this.log.placed;
    this.selected = row;
    if (row) this.following = false;
    changed();
  }
  follow() {
    this.selected = null;
    this.following = true;
    changed();
  }
  /** The log was scrolled. At its end it follows again, unless a row is chosen. */
  scrolled(atEnd) {
    if (this.following || atEnd) this.#seen = this.log.placed;
    this.following = atEnd && !this.selected;
  }
  /** New rows since the log does not follow. */
  get unseen() {
    return this.following ? 0 : this.log.placed - this.#seen;
  }

  /** Is the URL one of the server that the page came from? Only that one's view can be seen. */
  get ours() {
    return URL.canParse(this.url) && new URL(this.url).host === location.host;
  }
  /** Is the server's view asked for in the URL? */
  get watched() {
    return queryOf(this.url).some(([key]) => key === "watch");
  }
  /** Puts a watch key into the URL, or takes it out: for the next connection. The present one's key is used again. */
  watch(on) {
    const used = this.used && queryOf(this.used.url).find(([key]) => key === "watch");
    this.url = withQuery(this.url, { watch: on ? (used?.[1] ?? newKey()) : null });
    changed();
  }

  #on = {
    state: ({ state }) => {
      if (state === "connecting") {
        this.#dialled = this.used.url;
        this.began = performance.now();
        this.retry = null;
      }
      if (state !== "waiting" && state !== "closed") this.word = state;
    },
    opened: (opened) => {
      this.#endRetries();
      this.opened = opened;
      this.end = null;
      this.dismissed = false;
      this.sent = this.received = 0;
      this.rtt = this.stamp = this.lastSent = this.lastReceived = null;
      this.#pending.clear();
      this.timing.clear();
      this.view.opened();
      const { protocol, extensions, took } = opened;
      this.add("opened", { now: opened.at, note: { key: "note.opened", vars: { url: this.#dialled, protocol, extensions, took } } });
      remember(this.#dialled, "open");
      this.heartbeat.start();
    },
    message: ({ data, at }) => {
      const body = typeof data === "string" ? data : new Uint8Array(data);
      const text = typeof body === "string";
      const answered = this.#pending.take(body);
      const rtt = answered ? at - answered.now : null;
      const stamp = text ? stampOf(body) : stampOfBytes(body);
      const beat = answered?.row.beat ?? body === this.heartbeat.last?.data; // or a second copy
      const row = this.add("received", { now: at, type: text ? "text" : "binary", size: text ? utf8Length(body) : body.length, data: body, rtt, stamp, beat, pair: answered?.row ?? null });
      if (answered && !answered.row.pair) answered.row.pair = row;
      this.received++;
      this.lastReceived = row.at;
      if (rtt !== null) {
        this.rtt = rtt;
        this.timing.add(row);
        if (stamp) this.timing.stamp(epoch(answered.now), row.at, stamp);
      }
      if (stamp !== null) this.stamp = stamp;
      this.view.add(row, "sent");
      if (beat) answered && this.heartbeat.received(row);
      else if (this.exchange?.sent && (row.pair === this.exchange.sent || (!row.pair && duplicates(row, this.exchange)))) this.exchange.replies.push(row);
      else this.exchange = { sent: row.pair, replies: [row] };
    },
    error: () => this.#retrying || this.add("error", { note: { key: "note.error" } }),
    closing: ({ code, reason, why }) => {
      this.heartbeat.stop();
      this.#close("received", "note.closeByPage", { code, reason, why });
    },
    ended: (end) => {
      this.heartbeat.stop();
      this.end = { ...end, at: epoch(), lastSent: this.lastSent, lastReceived: this.lastReceived };
      if (end.opened && end.wasClean && !end.close) {
        const { code, reason } = end;
        this.#close("sent", "note.closeByServer", { code, reason });
        this.#close("received", "note.closeAnswer", { code, reason });
      }
      this.word = wordOf(end, this.state);
      if (this.#retrying && !end.opened) this.#countRetry();
      else this.add("ended", { note: { key: "note.ended", vars: { ...end } } });
      this.view.ended();
      remember(this.#dialled, end.opened || end.close ? String(end.code) : end.answers ? "refused" : "gone");
      if (!this.selected && end.code !== 1000 && !end.close) app.inspector = "connection";
    },
    retry: ({ wait, attempt }) => {
      this.retry = { at: performance.now() + wait, attempt };
      this.#retrying = true;
    },
    invalid: ({ message }) => {
      this.invalid = message;
      this.word = "closed";
    },
  };

  /** Adds the row of a Close frame that the server `received` or has `sent`. */
  #close(direction, key, vars) {
    this.view.add(this.add("close", { size: vars.code === 1005 ? 0 : 2 + utf8Length(vars.reason), note: { key, vars } }), direction);
  }

  // The failed attempts after a loss are one row that counts.
  #retrying = false;
  #retries = null;
  #countRetry() {
    const at = epoch();
    this.#retries ??= this.add("retries", { note: { key: "note.retries", vars: { count: 0, first: at, last: at } } });
    const { vars } = this.#retries.note;
    vars.count++;
    vars.last = at;
  }
  #endRetries() {
    this.#retrying = false;
    this.#retries = null;
  }
}

/** Is this reply a second copy of one that the exchange has? */
const duplicates = (row, { replies }) => replies.some((one) => one.data === row.data);

/** The state's word after an end. */
function wordOf(end, state) {
  if (end.close) return "closed";
  if (end.opened) return end.wasClean ? "closed" : "lost";
  return end.answers === false ? "gone" : "refused";
}

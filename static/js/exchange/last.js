// The last exchange that was not a heartbeat: what was sent, and what came back.
import { epoch } from "../connection/tab.js";
import { queryOf } from "../connection/url.js";
import { splitStamp } from "../log/pending.js";
import { shape } from "../log/shapes.js";
import { clock, hexLine, lasted, millis, pieces } from "../shared/format.js";
import { classes, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { act, app, narrow } from "../state.js";

const LINE = 300; // characters that a line shows
const WHOLE = 2000; // and the form in which lines break

const EXAMPLES = [
  { kind: "text", text: "hello" },
  { kind: "text", text: '{"type":"ping","id":1}' },
  { kind: "text", text: "你好" },
  { kind: "hex", text: "de ad be ef", name: "example.hex" },
];

const seen = (text, breaks) => pieces(text, breaks).map(({ text, unseen }) => (unseen ? html`<span class="unseen">${text}</span>` : text));

/** A message's content; `whole` with its line breaks. */
function content(row, whole) {
  const most = whole ? WHOLE : LINE;
  const [body, stamp] = splitStamp(row);
  if (typeof body !== "string") return html`${hexLine(body, most / 4)}${stamp && html` <span class="stamp">${hexLine(stamp)}</span>`}`;
  const cut = body.length > most;
  return html`${seen(cut ? body.slice(0, most) : body, whole)}${cut ? "…" : stamp && html`<span class="stamp">${stamp}</span>`}`;
}

/** Is nothing of the connection's to come, and was that connection the one of this exchange? */
const isStale = (tab, row) => !tab.open || row.at < epoch(tab.opened.at);

/** What stands in the place of a reply that is not there. */
function missing(tab, sent, stale) {
  const query = new Map(queryOf(tab.used?.url ?? tab.url));
  // Replies keep their order: after a later one, this one does not come any more.
  const passed = tab.heartbeat.last?.pair?.at > sent.at;
  if (query.get("reply") === "none" || query.get("drop") === "1" || (query.has("drop") && passed)) return t("last.nothing");
  return stale ? t("last.ended") : t("last.waiting", { time: lasted(epoch() - sent.at) });
}

const open = (tab, row) =>
  act(() => {
    app.inspector = "message";
    app.sheet ||= narrow();
    tab.select(row);
  });

function Line({ tab, row, label, kind, whole, aside, children }) {
  return html`<div class=${classes("line", kind)}>
    <span class="label">${label}</span>
    ${shape(kind, 16)}
    ${row ? html`<button type="button" class="said mono" onClick=${open(tab, row)}>${children}${content(row, whole)}</button>` : html`<span class="said muted">${children}</span>`}
    <span class="aside">${aside}</span>
  </div>`;
}

export function LastExchange({ tab, form }) {
  const { exchange } = tab;
  const whole = form === "whole";
  if (!exchange) return html`<${None} tab=${tab} form=${form} />`;
  const { sent, replies } = exchange;
  const reply = replies.at(-1) ?? null;
  const stale = isStale(tab, sent ?? reply);
  const time = clock((reply ?? sent).at);
  const trip = reply && reply.rtt !== null ? millis(reply.rtt) : "";
  const note = tab.imported ? t("last.imported", { time }) : stale ? t("last.stale", { time }) : time;
  return html`<div class=${classes("exchange", form, stale && "stale")}>
    <p class="head"><b>${t("last.title")}</b> <span class="muted">${form === "compact" && !stale ? "" : note}</span></p>
    ${sent && html`<${Line} tab=${tab} row=${sent} kind="sent" label=${t("last.sent")} whole=${whole} aside=${trip && t("last.trip")} />`}
    <${Line} tab=${tab} row=${reply} kind="received" label=${t(sent ? "last.back" : "last.came")} whole=${whole} aside=${trip}>
      ${reply ? replies.length > 1 && html`<span class="several">${t("last.several", { n: number(replies.length) })}</span>` : missing(tab, sent, stale)}
    <//>
    ${whole && trip && html`<p class="trip"><span class="muted">${t("rtt")}</span> ${trip}</p>`}
  </div>`;
}

/** Is there no connection, and none on its way for the first time? */
export const notConnected = (tab) => tab.imported !== null || (!tab.open && !(tab.word === "connecting" && !tab.end));

function None({ tab, form }) {
  const fill = ({ kind, text }) =>
    act(() => {
      Object.assign(tab.draft, { kind, text });
      requestAnimationFrame(() => document.querySelector("#composer")?.focus());
    });
  const closed = notConnected(tab);
  return html`<div class=${classes("exchange", form)}>
    <p><b>${t("last.title")}</b> <span class="muted">${t("last.none")}</span></p>
    ${closed
      ? html`<p class="invite"><b>${t("last.notConnected")}</b></p><p class="invite muted">${t(tab.imported ? "last.cannotSend" : "last.connect")}</p>`
      : html`<p class="invite"><b>${t("last.type")}</b></p>
          ${form !== "compact" && html`<p class="examples"><span class="muted">${t("example")}</span>${EXAMPLES.map((one) => html`<button type="button" key=${one.text} class=${classes("link", !one.name && "mono")} onClick=${fill(one)}>${one.name ? t(one.name) : one.text}</button>`)}</p>`}`}
  </div>`;
}

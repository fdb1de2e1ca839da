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

const EXAMPLES = ["hello", '{"type":"ping","id":1}', "你好"];

/** A message's content; `whole` with its line breaks. */
function content(row, whole) {
  const most = whole ? WHOLE : LINE;
  const [body, stamp] = splitStamp(row);
  if (typeof body !== "string") return html`${hexLine(body, most / 4)}${stamp && html` <span class="stamp">${hexLine(stamp)}</span>`}`;
  const shown = pieces(body.slice(0, most), whole).map(({ text, unseen }) => (unseen ? html`<span class="unseen">${text}</span>` : text));
  return html`${shown}${body.length > most ? "…" : stamp && html`<span class="stamp">${stamp}</span>`}`;
}

/** What stands in the place of a reply that is not there. */
function missing(tab, sent, stale) {
  const query = new Map(queryOf(tab.used?.url ?? tab.url));
  // Replies keep their order: after a later one, this one does not come any more.
  const passed = tab.heartbeat.last?.pair?.at > sent.at;
  if (query.get("reply") === "none" || query.get("drop") === "1" || (query.has("drop") && passed)) return t("last.nothing");
  return stale ? t("last.ended") : t("last.waiting", { time: lasted(epoch() - sent.at) });
}

export function LastExchange({ tab, form }) {
  const { exchange } = tab;
  const whole = form === "whole";
  if (!exchange) return html`<${None} tab=${tab} form=${form} />`;
  const { sent, replies } = exchange;
  const reply = replies.at(-1);
  const time = clock((reply ?? sent).at);
  const stale = !tab.open || (sent ?? reply).at < epoch(tab.opened.at);
  const note = tab.imported ? t("last.imported", { time }) : stale ? t("last.stale", { time }) : form !== "compact" && time;
  const trip = reply && replies[0].rtt !== null && millis(replies[0].rtt);
  const open = (row) =>
    act(() => {
      app.inspector = "message";
      app.sheet ||= narrow();
      tab.select(row);
    });
  const line = (kind, label, row, aside, before) => html`<div class=${classes("line", kind)}>
    <span class="label">${label}</span>${shape(kind, 16)}
    ${row ? html`<button type="button" class="said mono" onClick=${open(row)}>${before}${content(row, whole)}</button>` : html`<span class="said muted">${missing(tab, sent, stale)}</span>`}
    <span class="aside">${aside}</span>
  </div>`;
  return html`<div class=${classes("exchange", form, stale && "stale")}>
    <p class="head"><b>${t("last.title")}</b> <span class="muted">${note}</span></p>
    ${sent && line("sent", t("last.sent"), sent, trip && t("last.trip"))}
    ${line("received", t(sent ? "last.back" : "last.came"), reply, trip, replies.length > 1 && html`<span class="several">${t("last.several", { n: number(replies.length) })}</span>`)}
    ${whole && trip && html`<p class="trip"><span class="muted">${t("rtt")}</span> ${trip}</p>`}
  </div>`;
}

/** Is there no connection, and none on its way for the first time? */
export const notConnected = (tab) => tab.imported !== null || (!tab.open && !(tab.word === "connecting" && !tab.end));

function None({ tab, form }) {
  const example = (kind, text, name) => {
    const fill = act(() => {
      Object.assign(tab.draft, { kind, text, error: null });
      requestAnimationFrame(() => document.querySelector("#composer")?.focus());
    });
    return html`<button type="button" key=${text} class=${classes("link", !name && "mono")} onClick=${fill}>${name ?? text}</button>`;
  };
  return html`<div class=${classes("exchange", form)}>
    <p><b>${t("last.title")}</b> <span class="muted">${t("last.none")}</span></p>
    ${notConnected(tab)
      ? html`<p class="invite"><b>${t("last.notConnected")}</b></p><p class="invite muted">${t(tab.imported ? "draft.imported" : "last.connect")}</p>`
      : html`<p class="invite"><b>${t("last.type")}</b></p>
          ${form !== "compact" && html`<p class="examples"><span class="muted">${t("example")}</span>${EXAMPLES.map((text) => example("text", text))}${example("hex", "de ad be ef", t("example.hex"))}</p>`}`}
  </div>`;
}

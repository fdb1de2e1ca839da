// The rows that the inspector looks at: which one is shown, its neighbours, its bytes, its way.
import { bytes as size, clock } from "../shared/format.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { act, changed } from "../state.js";
import { journey } from "./journey.js";

const CALM = 250; // ms for which a reply is shown before the next one takes its place

const encoder = new TextEncoder();
const raw = new WeakMap();

/** A message's bytes as they were before compression. */
export function bytesOf(row) {
  if (typeof row.data !== "string") return row.data ?? new Uint8Array();
  if (!raw.has(row)) raw.set(row, encoder.encode(row.data));
  return raw.get(row);
}

const last = new WeakMap(); // tab -> { row, at, timer }: what is shown without a choice

/** The row that the inspector shows: the chosen one, else the last reply, else what was sent. */
export function shownRow(tab) {
  if (tab.selected) return tab.selected;
  const { exchange } = tab;
  if (!exchange) return null;
  const shown = last.get(tab);
  const row = exchange.replies.at(-1) ?? shown?.row ?? exchange.sent;
  if (shown?.row === row) return row;
  const now = performance.now();
  if (shown && shown.row !== row.pair && now - shown.at < CALM) {
    shown.timer ??= setTimeout(changed, CALM);
    return shown.row;
  }
  last.set(tab, { row, at: now });
  return row;
}

/** The nearest row of the view before (-1) or after (1) a row, which need not be in the view itself. */
export function neighbour({ log }, row, step, accepts = () => true) {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = log.at(middle);
    if (other.at < row.at || (other.at === row.at && other.id < row.id)) low = middle + 1;
    else high = middle;
  }
  const start = step < 0 ? low - 1 : log.at(low) === row ? low + 1 : low;
  for (let i = start, left = 100; i >= 0 && i < log.length && left > 0; i += step, left--) if (accepts(log.at(i))) return log.at(i);
  return null;
}

export const choose = (tab, row) => act(() => tab.select(row));

/** A link to another row, by its time or by `text`. */
export const rowLink = (tab, row, text = clock(row.at)) => html`<button type="button" class="link" onClick=${choose(tab, row)}>${text}</button>`;

/** `received, text, 52 B`; `short`: without the type. */
export const nameOf = (row, short = false) => [t(`kind.${row.kind}`), !short && (row.type ? t(`type.${row.type}`) : row.kind === "control" && row.server?.name), (row.data !== null || row.server) && size(row.size)].filter(Boolean).join(t("log.comma"));

/** The way of the exchange that a row belongs to, or null. */
export function wayOf(tab, row) {
  const [sent, reply] = row.kind === "received" ? [row.pair, row] : [row, row.pair];
  if (row.data === null || !sent || !reply) return null;
  const left = reply.server?.at ?? reply.stamp;
  const way = journey({ sentAt: sent.at, rtt: reply.rtt, came: sent.server?.at, left }, tab.timing.clock.estimate());
  return way && { ...way, rtt: reply.rtt };
}

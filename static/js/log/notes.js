// What the page itself says in a row: opened, ended, close and the rest, as text. Rows come from files too, so nothing
// about their values is taken for granted.
import { clock, lasted, millis } from "../shared/format.js";
import { has, number, t } from "../shared/i18n.js";

/** A duration where hundredths of a millisecond mean nothing. */
export const roughly = (ms) => (ms < 100 ? `${ms.toFixed(1)} ms` : millis(ms));
const join = (...parts) => parts.filter(Boolean).join(t("log.comma"));
const time = (ms) => clock(Number(ms)).slice(0, 8);

/** `4401 “expired”`, or the code alone. */
const codeText = ({ code, reason }) => (reason ? `${code} “${reason}”` : String(code));

function ended({ code, reason, wasClean, opened, close, lasted: ms, took }) {
  const what = codeText({ code, reason });
  const after = (text) => t("ended.after", { time: text });
  if (!opened) return join(what, t("ended.never"), close && t("by.page"), Number.isFinite(took) && after(roughly(took)));
  const clean = t(wasClean ? "ended.clean" : "ended.unclean");
  const long = Number.isFinite(ms) && after(lasted(ms));
  if (!close) return join(what, wasClean ? t("by.server") : t("ended.noClose"), clean, long);
  const why = `ended.${close.why}`;
  if (has(why)) return join(what, t("by.page"), clean, t(why));
  return join(what, t("by.page"), wasClean ? t("ended.answered") : t("ended.unanswered"), clean, long);
}

function retries({ count, first, last }) {
  if (count === 1) return t("retries.one", { first: time(first) });
  return t(count === 2 ? "retries.two" : "retries.many", { n: number(Number(count)), first: time(first), last: time(last) });
}

const closed = (by) => (vars) => t("close.text", { code: vars.code === 1005 ? "" : ` ${codeText(vars)}`, by: t(by) });

const NOTES = {
  "note.opened": ({ url, protocol, extensions, took }) => join(url, protocol, extensions, Number.isFinite(took) && t("opened.took", { time: roughly(took) })),
  "note.ended": ended,
  "note.received": ({ name }) => t(name === "Pong" ? "note.pong" : "note.received", { name }),
  "note.closeByPage": closed("close.page"),
  "note.closeByServer": closed("close.server"),
  "note.closeAnswer": closed("close.answer"),
  "note.retries": retries,
};

/** The text of a row's note, "" without one. */
export function noteText({ note }) {
  if (!note) return "";
  const { key, vars = {} } = note;
  if (Object.hasOwn(NOTES, key)) return String(NOTES[key](vars));
  return has(key) ? t(key, vars) : join(...Object.values(vars).map((value) => (typeof value === "object" ? "" : String(value))));
}

/** Everything that a search looks at: a message, its bytes as hex, or the note. */
export function rowText(row) {
  if (row.data === null) return noteText(row);
  if (typeof row.data === "string") return row.data;
  let hex = "";
  for (const byte of row.data.subarray(0, 4096)) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Did the row's connection end badly, or not begin? */
export const isFailure = ({ kind, note }) => kind === "ended" && !(note?.vars?.opened && note.vars.wasClean);

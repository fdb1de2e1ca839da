// The values of query keys, checked by the forms that the server's list names: a browser does not show why a server
// refuses a handshake. Pure.
import { utf8Length } from "../shared/format.js";

const UNITS = { "ms msec millis": 1, "s sec secs second seconds": 1e3, "m min mins minute minutes": 6e4, "h hr hrs hour hours": 36e5 };
const msOf = (unit) => Object.entries(UNITS).find(([names]) => names.split(" ").includes(unit))?.[1];

/** Milliseconds of `4m 60s`; null if it is no duration, as every reader here. */
function duration(text) {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*/gi)];
  const all = parts.map(([part]) => part).join("") === text && parts.length > 0;
  return all && parts.every(([, , unit]) => msOf(unit)) ? parts.reduce((sum, [, count, unit]) => sum + count * msOf(unit), 0) : null;
}

function size(text) {
  const [, count, prefix, binary] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?$/i.exec(text) ?? [];
  return count ? count * (prefix ? (binary ? 1024 : 1000) ** ("kmgt".indexOf(prefix.toLowerCase()) + 1) : 1) : null;
}

// A seed has 64 bits, more than a number holds exactly.
const integer = (text) => (/^\d+$/.test(text) ? BigInt(text) : null);
const probability = (text) => (/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null);

const READ = { duration, size, probability, integer, rate: integer, status: integer };

function close({ codes, maxReasonBytes }, value) {
  const [, code, reason = ""] = /^(\d+)(?::(.*))?$/s.exec(value) ?? [];
  if (!code) return "kind";
  if (!codes.some(([from, to]) => +code >= from && +code <= to)) return "range";
  return utf8Length(reason) > maxReasonBytes ? "reason" : null;
}

/** Returns null if the value has this form, else what is wrong with it: kind, range, or reason (too long). */
function checkForm(form, value) {
  const { kind, min, max } = form;
  if (kind === "flag") return value === "" ? null : "kind";
  if (kind === "choice") return form.values.includes(value) ? null : "kind";
  if (kind === "close") return close(form, value);
  if (kind === "text") return value.startsWith(form.prefix ?? "") && new RegExp(`^(?:${form.pattern ?? ".*"})$`, "s").test(value) ? null : "kind";
  const read = READ[kind];
  if (!read) return null; // a kind that is newer than this page
  const number = read(value);
  if (number === null) return "kind";
  return number < read(min) || number > read(max) ? "range" : null;
}

/** The values in the text of a field: one for each line if the key can be set more than once. */
export const valuesOf = ({ repeatable }, text) => (repeatable ? text.split("\n").filter(Boolean) : [text]);

/** Returns null if each value has one of the key's forms, else { wrong, form }: kind, range or reason, and the form meant. */
export const check = (key, text) => valuesOf(key, text).map((value) => checkOne(key, value)).find(Boolean) ?? null;

function checkOne({ forms }, value) {
  // The server reads digits as a number before it reads them as a duration: after=0 is no duration.
  const number = /^\d+$/.test(value) && forms.find(({ kind }) => kind === "integer");
  const wrongs = (number ? [number] : forms).map((form) => ({ wrong: checkForm(form, value), form }));
  return wrongs.every(({ wrong }) => wrong) ? wrongs.find(({ wrong }) => wrong !== "kind") ?? { wrong: "kind" } : null;
}

/** Returns null, or why the key cannot be set beside the keys of `set`: { excludes: name } or { needs: [names] }. */
export function conflict({ name, excludes, requiresOneOf }, set) {
  const other = excludes.find((one) => one !== name && set.has(one));
  if (other) return { excludes: other };
  return requiresOneOf.length && !requiresOneOf.some((one) => set.has(one)) ? { needs: requiresOneOf } : null;
}

/** The words that a key takes, perhaps among other values, such as `off`. */
export const choices = ({ forms }) => forms.flatMap((form) => form.values ?? []);

/** Whether a key takes a value or none: then an empty line of text does not say which. */
export const canBeBare = ({ forms }) => forms.length > 1 && forms.some(({ kind }) => kind === "flag");

/** How a field takes the value: a switch, a select, a line of text, or lines of text. */
export function control(key) {
  if (key.repeatable) return "lines";
  const [{ kind }, more] = key.forms;
  if (more || (kind !== "flag" && kind !== "choice")) return "text";
  return choices(key).length > 1 ? "select" : "switch";
}

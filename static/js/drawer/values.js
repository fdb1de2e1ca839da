// The values of query keys, checked by the forms that the server's list names: a browser does not show why a server
// refuses a handshake. Pure.
import { utf8Length } from "../shared/format.js";

// The server reads durations with the crate humantime, sizes with bytesize.
const UNITS = { "ns nsec nanos": 1e-6, "us usec": 1e-3, "ms msec millis": 1, "s sec secs second seconds": 1e3, "m min mins minute minutes": 6e4, "h hr hrs hour hours": 36e5, "d day days": 864e5 };
const MS = new Map(Object.entries(UNITS).flatMap(([names, ms]) => names.split(" ").map((name) => [name, ms])));

function duration(text) {
  if (text === "0") return 0;
  if (!/^\s*(\d+(\.\d+)?\s*[a-z]+\s*)+$/i.test(text)) return null;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)\s*([a-z]+)/gi)) sum += count * (MS.get(unit) ?? NaN);
  return Number.isNaN(sum) ? null : sum;
}

function size(text) {
  const [, count, prefix, binary] = /^(\d+(?:\.\d+)?)\s*(?:([kmgtpe])(i?))?b?$/i.exec(text) ?? [];
  if (!count) return null;
  return count * (prefix ? (binary ? 1024 : 1000) ** ("kmgtpe".indexOf(prefix.toLowerCase()) + 1) : 1);
}

// A seed has 64 bits, more than a number holds exactly.
const integer = (text) => (/^\+?\d+$/.test(text) ? BigInt(text.replace("+", "")) : null);
const probability = (text) => (/^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null);

const READ = { duration, size, probability, integer, rate: integer, status: integer };

function close({ codes, maxReasonBytes }, value) {
  const [, digits, reason = ""] = /^(\d+)(?::(.*))?$/s.exec(value) ?? [];
  if (!digits) return "kind";
  if (!codes.some(([from, to]) => Number(digits) >= from && Number(digits) <= to)) return "range";
  return utf8Length(reason) > maxReasonBytes ? "reason" : null;
}

function matches(pattern, value) {
  try {
    return new RegExp(`^(?:${pattern})$`, "v").test(value);
  } catch {
    return true; // a pattern that this browser cannot read: the server decides
  }
}

/** Returns null if the value has this form, else what is wrong with it: kind, range, or reason (too long). */
function checkForm(form, value) {
  const { kind } = form;
  if (kind === "flag") return value === "" ? null : "kind";
  if (kind === "choice") return form.values.includes(value) ? null : "kind";
  if (kind === "close") return close(form, value);
  if (kind === "text") return value.startsWith(form.prefix ?? "") && (!form.pattern || matches(form.pattern, value)) ? null : "kind";
  if (!READ[kind]) return null; // a kind that is newer than this page
  const read = READ[kind](value);
  if (read === null) return "kind";
  return read < READ[kind](form.min) || read > READ[kind](form.max) ? "range" : null;
}

/** Returns null if `value` has one of the key's forms, else { wrong, form }: kind, range or reason, and the form meant. */
export function check(key, value) {
  // The server reads digits as a number before it reads them as a duration: after=0 is no duration.
  const whole = /^\d+$/.test(value) && key.forms.find(({ kind }) => kind === "integer");
  const forms = whole ? [whole] : key.forms;
  const wrongs = forms.map((form) => ({ wrong: checkForm(form, value), form }));
  if (wrongs.some(({ wrong }) => !wrong)) return null;
  return wrongs.find(({ wrong }) => wrong !== "kind") ?? { wrong: "kind", form: null };
}

/** Returns null, or why the key cannot be set beside the keys of `set`: { excludes: name } or { needs: [names] }. */
export function conflict(key, set) {
  const other = key.excludes.find((name) => name !== key.name && set.has(name));
  if (other) return { excludes: other };
  const needs = key.requiresOneOf;
  return needs.length && !needs.some((name) => set.has(name)) ? { needs } : null;
}

/** How a field takes the value: a switch, a select, or a line of text. */
export function control(key) {
  const [form] = key.forms;
  if (key.forms.length > 1) return "text";
  if (form.kind === "flag" || (form.kind === "choice" && form.values.length === 1)) return "switch";
  return form.kind === "choice" ? "select" : "text";
}

/** The words that a key takes among other values, such as `off`. */
export const choices = (key) => key.forms.flatMap((form) => (form.kind === "choice" ? form.values : []));

// Texts of observations: figures with their units as src/check/figures.rs has them, and lists. Pure but for the language.
import { oneLine } from "../shared/format.js";
import { number, t } from "../shared/i18n.js";

const LONGEST = 1000; // characters of a text from the far end

/** A duration: 0.4 ms, 41 ms, 12.3 s. */
export const time = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

const MIB = 1 << 20;
/** Bytes: 65,536 B, or 1 MiB if it is whole. */
export const size = (bytes) => (bytes >= MIB && bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${number(bytes)} B`);

function part(value) {
  if (typeof value !== "object") return oneLine(String(value), LONGEST);
  if (value.ms !== undefined) return time(value.ms);
  if (value.size !== undefined) return size(value.size);
  if (value.each) return value.each.map(part).join(t("check.comma"));
  if (!value.list) return textOf(value);
  const all = value.list.map(part);
  return all.length > 1 ? [all.slice(0, -1).join(t("check.comma")), all.at(-1)].join(t("check.and")) : all.join("");
}

/** The text of an observation: { key, vars }. A value is text, a number, { ms }, { size }, { list }, a list of equals { each }, or another { key, vars }. */
export const textOf = ({ key, vars = {} }) => unspaced(t(key, Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, part(value)]))));

/** A Chinese text has spaces beside what is no Chinese. What fills a place may be Chinese, too. */
const unspaced = (text) => text.replace(/(?<=\p{Script=Han}) (?=\p{Script=Han})/gu, "");

/** What an outcome has seen, in one line. */
export const seenText = (outcome) => outcome.sorted.map(textOf).join(t("check.then"));

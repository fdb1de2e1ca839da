// Which rows the log shows, and a row as a line of JSON.
import { toBase64 } from "../shared/bytes.js";

const LOOKED_AT = 65536; // characters of one message that a search reads: a regular expression over more could stall

/** A row's predicate, or null for "every row". Throws SyntaxError on a bad regular expression. */
export function predicate({ kinds, types, text = "", regex = false }) {
  let finds = null;
  if (text) {
    if (regex) {
      const expression = new RegExp(text, "iu");
      finds = (said) => expression.test(said);
    } else {
      const wanted = text.toLowerCase();
      finds = (said) => said.toLowerCase().includes(wanted);
    }
  }
  if (!kinds && !types && !finds) return null;
  return (row) =>
    (!kinds || kinds.has(row.kind)) &&
    (!types || !row.type || types.has(row.type)) &&
    (!finds || finds(searchable(row)));
}

function searchable(row) {
  if (row.data === null) return row.note ? Object.values(row.note.vars ?? {}).join(" ") : "";
  if (typeof row.data === "string") return row.data.length > LOOKED_AT ? row.data.slice(0, LOOKED_AT) : row.data;
  let hex = "";
  for (const byte of row.data.subarray(0, 4096)) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** One line of JSON for a row. Binary is base64. */
export function jsonLine(row) {
  const line = { time: new Date(row.at).toISOString(), event: row.kind };
  if (row.type) line.type = row.type;
  if (row.data !== null) line.bytes = row.size;
  if (row.rtt !== null) line.rttMs = Number(row.rtt.toFixed(3));
  if (row.stamp !== null) line.serverMs = row.stamp;
  if (row.note?.vars) Object.assign(line, row.note.vars);
  if (row.server) line.server = row.server;
  if (row.data !== null) line.data = typeof row.data === "string" ? row.data : toBase64(row.data);
  return JSON.stringify(line);
}

/** Applies a tab's `find` to its log. */
export function filter(tab) {
  const { find, heartbeat, log } = tab;
  const set = (value) => (value ? new Set(value.split(" ")) : null);
  const found = predicate({ kinds: set(find.kinds), types: set(find.types), text: find.text, regex: find.regex });
  const beats = heartbeat.expanded;
  if (beats) log.filter(found);
  else log.filter(found ? (row) => !row.beat && found(row) : (row) => !row.beat);
}

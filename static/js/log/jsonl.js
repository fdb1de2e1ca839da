// The log as JSON Lines, a row a line, and back. Pure.
import { fromBase64, toBase64 } from "../shared/bytes.js";
import { utf8Length } from "../shared/format.js";
import { newRow } from "./log.js";

/** Why a file is no log: `key` and `vars` of a text; `vars.why` is the key of another. */
export class BadFile extends Error {
  constructor(key, vars = {}) {
    super(key);
    this.key = key;
    this.vars = vars;
  }
}

/** One line of JSON for a row. Binary is base64. */
export function jsonLine(row) {
  const line = { time: new Date(row.at).toISOString(), event: row.kind };
  if (row.beat) line.heartbeat = true;
  if (row.type) line.type = row.type;
  if (row.data !== null) line.bytes = row.size;
  if (row.rtt !== null) line.rttMs = Number(row.rtt.toFixed(3));
  if (row.stamp !== null) line.serverMs = row.stamp;
  if (row.note) Object.assign(line, { note: row.note.key.replace("note.", "") }, row.note.vars);
  if (row.server) line.server = row.server;
  if (row.data !== null) line.data = typeof row.data === "string" ? row.data : toBase64(row.data);
  return JSON.stringify(line);
}

const KINDS = ["sent", "received", "control", "close", "error", "opened", "ended", "retries"];
const FORMER = { open: "opened", frame: "control" }; // events as an earlier page wrote them

const numberOr = (value, otherwise) => (Number.isFinite(value) ? value : otherwise);

/** The row of a line. Throws the key of what is wrong with it. */
function rowOf(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw "import.json";
  }
  const { time, event, heartbeat, type, bytes, rttMs, serverMs, note, server, data, ...vars } = value ?? {};
  const kind = FORMER[event] ?? event;
  if (!KINDS.includes(kind)) throw "import.event";
  const at = Date.parse(time);
  if (Number.isNaN(at)) throw "import.time";
  const row = newRow({ at, kind, rtt: numberOr(rttMs, null), stamp: numberOr(serverMs, null), beat: heartbeat === true, size: numberOr(bytes, 0) });
  if (server && typeof server === "object") row.server = server;
  if (data !== undefined) {
    if (typeof data !== "string") throw "import.data";
    row.type = type === "binary" ? type : "text";
    row.data = type === "binary" ? bytesOf(data) : data;
    row.size = type === "binary" ? row.data.length : utf8Length(data);
  }
  if (typeof note === "string") row.note = { key: `note.${note}`, vars };
  else if (Object.keys(vars).length > 0 || kind === "opened") row.note = { key: `note.${kind}`, vars };
  return row;
}

export function bytesOf(base64) {
  try {
    return fromBase64(base64);
  } catch {
    throw "import.base64";
  }
}

/** The rows of a file. Throws BadFile. */
export function fromJsonLines(text) {
  const rows = [];
  text.split("\n").forEach((line, index) => {
    try {
      if (line.trim()) rows.push(rowOf(line));
    } catch (why) {
      throw typeof why === "string" ? new BadFile("import.line", { n: index + 1, why }) : why;
    }
  });
  if (rows.length === 0) throw new BadFile("import.empty");
  return rows;
}

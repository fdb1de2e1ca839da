// Frames as RFC 6455, section 5.2, lays them out: a header's bytes read into bits and fields. Pure.
import { fromHex } from "../shared/bytes.js";

export const SHOWN = 64; // payload bytes of a frame that the server sends to watchers

const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };
const FIELDS = ["fin", "rsv1", "rsv2", "rsv3"];

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const bits = (byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1);

/** Bytes given as hex: none if it is none, because rows come from files, too. */
function read(text) {
  try {
    return fromHex(String(text));
  } catch {
    return new Uint8Array();
  }
}

/**
 * The fields of a header, given as hex: { size, rows, fin, rsv1, rsv2, rsv3, opcode, name, masked, length, extended,
 * overlong, key }. `rows` are the bits of its first two bytes, `extended` the bytes of a longer length and `key` those
 * of the masking key, both as hex and "" if absent. Returns null for what is no header.
 */
export function readHeader(text) {
  const bytes = read(text);
  if (bytes.length < 2) return null;
  const [first, second] = [bits(bytes[0]), bits(bytes[1])];
  const short = bytes[1] & 127;
  const more = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = second[0] === 1;
  if (bytes.length !== 2 + more + (masked ? 4 : 0)) return null;
  const extended = bytes.subarray(2, 2 + more);
  const length = more ? extended.reduce((sum, byte) => sum * 256 + byte, 0) : short;
  const opcode = bytes[0] & 15;
  return {
    size: bytes.length,
    rows: [first, second],
    ...Object.fromEntries(FIELDS.map((field, i) => [field, first[i] === 1])),
    opcode,
    name: OPCODES[opcode] ?? null,
    masked,
    length,
    short,
    extended: hex(extended),
    overlong: more > 0 && length < (more === 2 ? 126 : 65536),
    key: hex(bytes.subarray(2 + more)),
  };
}

/**
 * The frames of a row, each with the start of its payload: [{ header, at, wire, length }], `wire` a Uint8Array of at
 * most SHOWN bytes as they crossed the network, unmasked. An uncompressed payload is not kept beside the message: it is
 * cut out of the message's own bytes, `body`.
 */
export function framesOf(row, body) {
  const kept = Array.isArray(row.server?.frames) ? row.server.frames : [];
  const frames = [];
  let from = 0;
  for (const { header: text, at, wire } of kept) {
    const header = readHeader(text);
    if (!header) continue;
    frames.push({ header, at, wire: typeof wire === "string" ? read(wire) : body.subarray(from, from + Math.min(SHOWN, header.length)) });
    from += header.length;
  }
  return frames;
}

/** A short dump without characters: [[offset, bytes]], sixteen bytes a line, or fewer. */
export function dump(bytes, perLine = 16) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += perLine) lines.push([at.toString(16).padStart(2, "0"), hex(bytes.subarray(at, at + perLine))]);
  return lines;
}

// The next message: what is typed, as data to send, and whether it is what its kind says. Pure.
import { fromBase64, fromHex } from "../shared/bytes.js";

export const KINDS = ["text", "hex", "base64", "file"];
const MOST = 1 << 20; // characters that are checked with every key; a longer text is checked when it is sent

const looksLikeJson = (text) => /^\s*[[{]/.test(text);

/** { data }, or { error: { key, vars } } of a text. */
export function read({ kind, text, file }) {
  if (kind === "text") return { data: text };
  if (kind === "file") return file ? { data: file.bytes } : { error: { key: "draft.noFile" } };
  try {
    return { data: kind === "hex" ? fromHex(text) : fromBase64(text) };
  } catch (error) {
    return { error: { key: kind === "hex" ? "draft.badHex" : "draft.badBase64", vars: { bad: error.message } } };
  }
}

/** What the draft is, as it is typed: null, or { key, vars, bad } of a text. */
export function check(draft) {
  const { kind, text } = draft;
  if (kind === "file" || !text.trim() || text.length > MOST) return null;
  if (kind === "text") {
    if (!looksLikeJson(text)) return null;
    try {
      JSON.parse(text);
      return { key: "draft.json" };
    } catch (error) {
      return { key: "draft.badJson", vars: { error: error.message }, bad: true };
    }
  }
  const { data, error } = read(draft);
  if (error) return { ...error, bad: true };
  return { key: data.length === 1 ? "draft.byte" : "draft.bytes", vars: { n: data.length } };
}

/** The JSON of a text set out on lines; null if it is none. */
export function formatted(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

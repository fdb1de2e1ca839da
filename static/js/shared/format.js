// Numbers and foreign text made readable. Pure.

const two = (n) => String(n).padStart(2, "0");
const three = (n) => String(n).padStart(3, "0");

/** A time of day with milliseconds, local. */
export function clock(ms) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${three(d.getMilliseconds())}`;
}

/** Milliseconds with their unit: 0.42 ms, 12.3 ms, 1,116 ms, 12.5 s. */
export function millis(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  const abs = Math.abs(ms);
  if (abs < 10) return `${ms.toFixed(2)} ms`;
  if (abs < 100) return `${ms.toFixed(1)} ms`;
  if (abs < 10_000) return `${ms.toFixed(0).replace(/\B(?=\d{3}$)/, ",")} ms`;
  return `${(ms / 1000).toFixed(abs < 100_000 ? 1 : 0)} s`;
}

/** How long something has lasted: 0:07, 12:40, 3:05:09. */
export function lasted(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(n < 10240 ? 1 : 0)} KiB`;
  return `${(n / 1048576).toFixed(n < 10485760 ? 1 : 0)} MiB`;
}

const encoder = new TextEncoder();

/** Bytes of a text in UTF-8, as it goes over the wire. */
export function utf8Length(text) {
  return encoder.encode(text).length;
}

// What a reader cannot see, or what would rearrange what they see: controls, direction marks and overrides,
// zero-width characters, line separators, the replacement character's friends the lone surrogates.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT = { "\n": "↵", "\r": "␍", "\t": "⇥", "\0": "␀" };

const name = (c) => SHORT[c] ?? `⟨${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

/** One line of at most `max` characters in which everything can be seen. */
export function oneLine(text, max = 240) {
  const cut = text.length > max ? text.slice(0, max) : text;
  const seen = cut.replace(UNSEEN, name);
  return text.length > max ? `${seen}…` : seen;
}

/** The pieces of a text: [{ text, unseen }], so that a view can set unseen characters apart. `breaks`: line breaks are kept. */
export function pieces(text, breaks = true) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (breaks && match[0] === "\n") continue;
    if (match.index > from) out.push({ text: text.slice(from, match.index), unseen: false });
    const last = out.at(-1);
    if (last?.unseen) last.text += name(match[0]);
    else out.push({ text: name(match[0]), unseen: true });
    from = match.index + 1;
  }
  if (from < text.length) out.push({ text: text.slice(from), unseen: false });
  return out;
}

/** The first bytes in hex, grouped for the eye: `48 65 6c 6c 6f …`. */
export function hexLine(data, max = 64) {
  let out = "";
  const end = Math.min(data.length, max);
  for (let i = 0; i < end; i++) out += (i ? " " : "") + data[i].toString(16).padStart(2, "0");
  return data.length > max ? `${out} …` : out;
}

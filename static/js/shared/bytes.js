// Bytes as people write them, and as frames carry them. Pure.

/** `48 65 6c`, `48656c`, `0x48,0x65`: bytes. Throws a RangeError that holds what it could not read. */
export function fromHex(text) {
  const digits = text.replace(/0x/gi, "").replace(/[\s,:;-]+/g, "");
  const bad = /[^0-9a-f]/i.exec(digits);
  if (bad) throw new RangeError(bad[0]);
  if (digits.length % 2) throw new RangeError(digits.at(-1));
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Base64 or base64url, padded or not. Throws a RangeError that holds what it could not read. */
export function fromBase64(text) {
  const clean = text.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  const bad = /[^0-9A-Za-z+/]/.exec(clean);
  if (bad || clean.length % 4 === 1) throw new RangeError(bad ? bad[0] : clean.slice(-1));
  return Uint8Array.from(atob(clean), (c) => c.charCodeAt(0));
}

export function toBase64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary);
}

/** Bytes of a frame's header (RFC 6455, section 5.2). A client's frame carries a mask of four more. */
export function frameHeader(payload, fromClient) {
  return 2 + (payload < 126 ? 0 : payload < 65536 ? 2 : 8) + (fromClient ? 4 : 0);
}

/** A hex dump: offset, the bytes of a line, and what of them is printable ASCII. */
export function hexDump(bytes, from = 0, to = bytes.length, perLine = 16) {
  const lines = [];
  const end = Math.min(to, bytes.length);
  for (let at = from; at < end; at += perLine) {
    let hex = "";
    let ascii = "";
    for (let i = 0; i < perLine; i++) {
      const byte = at + i < end ? bytes[at + i] : null;
      hex += byte === null ? "   " : `${byte.toString(16).padStart(2, "0")} `;
      if (i % 8 === 7 && i < perLine - 1) hex += " ";
      if (byte !== null) ascii += byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·";
    }
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex} ${ascii}`);
  }
  return lines.join("\n");
}

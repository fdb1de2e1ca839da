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

/** A hex dump: offset, sixteen bytes, and what of them is printable ASCII. */
export function hexDump(bytes, from = 0, to = bytes.length) {
  const lines = [];
  for (let at = from; at < Math.min(to, bytes.length); at += 16) {
    const part = bytes.subarray(at, Math.min(at + 16, to, bytes.length));
    let hex = "";
    let ascii = "";
    for (let i = 0; i < 16; i++) {
      hex += i < part.length ? `${part[i].toString(16).padStart(2, "0")} ` : "   ";
      if (i === 7) hex += " ";
      if (i < part.length) ascii += part[i] > 31 && part[i] < 127 ? String.fromCharCode(part[i]) : "·";
    }
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex} ${ascii}`);
  }
  return lines.join("\n");
}

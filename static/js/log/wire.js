// What the server saw of a row's message or control frame (connection/pairing.js), in a few words. Pure.

/** { name, flags, bytes }: the opcode's name, the flags that are set, and all bytes on the wire; null if nothing was seen. */
export function wire({ server }) {
  const bits = Number.parseInt(server?.frames?.[0]?.header?.slice?.(0, 2), 16); // a row from a file can hold anything
  if (Number.isNaN(bits)) return null;
  const { name, masked, count, length, headers } = server;
  const flags = [count > 1 && `×${count}`, "FIN", ...[0x40, 0x20, 0x10].map((bit, i) => bits & bit && `RSV${i + 1}`), masked && "mask"];
  return { name: String(name), flags: flags.filter(Boolean).join(" "), bytes: length + headers };
}

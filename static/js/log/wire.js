// What the server saw of a row's message or control frame, in a few words. Pure.
import { frameHeader } from "../shared/bytes.js";

/** { name, flags, bytes }: the opcode's name, the flags that are set, and all bytes on the wire; null if nothing was seen. */
export function wire({ server }) {
  if (!server) return null;
  const { name, length, masked, compressed, count = 1, headers = frameHeader(length, masked) } = server;
  const flags = [count > 1 && `×${count}`, "FIN", compressed && "RSV1", masked && "mask"];
  return { name, flags: flags.filter(Boolean).join(" "), bytes: length + headers };
}

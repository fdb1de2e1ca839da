// What the server saw of a row's message or control frame, in a few words. Pure.
import { frameHeader } from "../shared/bytes.js";

/** { name, flags, bytes }: the opcode's name, the flags that are set, and all bytes on the wire; null if nothing was seen. */
export function wire({ server }) {
  if (!server) return null;
  const { name, length, masked, rsv, compressed, fin = true, header } = server;
  const frames = Array.isArray(server.frames) ? server.frames.length : (server.frames ?? 1);
  const set = rsv ?? [compressed, false, false];
  const flags = [frames > 1 && `×${frames}`, fin && "FIN", ...set.map((bit, i) => bit && `RSV${i + 1}`), masked && "mask"];
  const headers = typeof header === "string" ? header.length / 2 : server.headers ?? frameHeader(length, masked);
  return { name, flags: flags.filter(Boolean).join(" "), bytes: length + headers };
}

// The check messages: whether they come back whole, in every form of their length.

/** Characters of one to four bytes. */
const TEXT = "a é 界 🦀 \u{10FFFF}";
/** The edges of the three forms of a length (RFC 6455 section 5.2), and the empty message. */
const LENGTHS = [0, 1, 125, 126, 65_535, 65_536];

export async function messages(target, outcome) {
  if (!target.echoes) return outcome.unknown("check.seen.echoesNot");
  const link = await target.plain({ reply: "verbatim" });
  if (!link.ok) return outcome.broken("lost", "check.page.noConnection");
  const all = [
    ["text", { key: "check.seen.text" }, TEXT],
    // Each byte value, so that a byte that is changed shows.
    ...LENGTHS.map((size) => ["lost", { size }, Uint8Array.from({ length: size }, (_, i) => i & 255).buffer]),
  ];
  try {
    for (const [finding, message, data] of all) {
      link.ws.send(data);
      let reply = await link.next();
      // A greeting of another server.
      while (target.farEnd === "echo" && typeof reply.data === "string" && typeof data !== "string") reply = await link.next();
      const fail = (found, [key, vars], limit = false) => outcome.brokenUnless(limit && target.isOther, found, "check.seen.message", { message, reason: { key, vars } });
      const { closed } = reply;
      if (closed?.code === 1006) return fail(finding, ["check.seen.ended"]);
      if (closed?.code === 1005) return fail(finding, ["check.seen.closedWithout"]);
      if (closed) return fail(finding, ["check.seen.closed", { code: String(closed.code), reason: closed.reason }], closed.code === 1009);
      if (reply.data === undefined) return fail(finding, ["check.seen.noneInTime"]);
      const differs = difference(data, reply.data);
      if (differs) return fail("changed", differs);
    }
    outcome.ok("check.seen.whole", { messages: { list: all.map(([, message]) => message) } });
  } finally {
    link.leave();
  }
}

/** How an echo differs from what was sent, as a text: null if it does not. Pure. */
export function difference(data, reply) {
  const kind = (one) => (typeof one === "string" ? "text" : "binary");
  if (kind(data) !== kind(reply)) return ["check.seen.otherKind", { came: kind(reply), sent: kind(data) }];
  const [a, b] = [data, reply].map((one) => (typeof one === "string" ? new TextEncoder().encode(one) : new Uint8Array(one)));
  if (a.length !== b.length) return ["check.seen.otherSize", { size: { size: b.length } }];
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? null : ["check.seen.byte", { at }];
}

// The check handshake: whether a connection opens, and how fast.

export async function handshake(target, outcome) {
  const link = await target.connect();
  if (!link.ok) return outcome.broken("failed", "check.page.failed", { time: { ms: link.took } });
  outcome.ok("check.seen.accept", { time: { ms: link.took } });
  link.leave();
}

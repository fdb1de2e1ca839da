// The check compression: how the offer, the answer and a compressed message passed.
import { description } from "../described.js";

const LARGE = "ws-echo ".repeat(512);

export async function compression(target, outcome) {
  const link = await target.connect({ hello: "json", reply: "json" });
  if (!link.ok) return outcome.unknown("check.page.noConnection");
  const answered = link.ws.extensions.includes("permessage-deflate");
  try {
    if (target.isOther) {
      if (!answered) return outcome.unknown("check.seen.notAccepted");
      if (target.farEnd !== "echo") return outcome.unknown("check.seen.noEcho");
      return await compressed(link, outcome);
    }
    const { data, closed } = await link.next();
    const described = description(data);
    // ws-echo compresses its description, and a browser that has learned nothing of that ends the connection.
    if (!described) return closed && !answered ? outcome.broken("answer-lost", "check.seen.deflateAnswerLost") : outcome.unknown("check.seen.noDescription");
    if (judgeCompression(outcome, described, answered)) await compressed(link, outcome);
  } finally {
    link.leave();
  }
}

/** A message of which each browser compresses the whole. */
async function compressed(link, outcome) {
  link.ws.send(LARGE);
  const { data, closed } = await link.next();
  if (closed && closed.code !== 1006) return outcome.broken("message", "check.seen.compressedClose", { code: String(closed.code), reason: closed.reason });
  if (data === undefined) return outcome.broken("message", "check.seen.compressedLost");
  if (data === LARGE) return outcome.ok("check.seen.whole", { messages: { size: LARGE.length } });
  let reply = null;
  try {
    reply = JSON.parse(data);
  } catch {
    /* another message than the reply */
  }
  if (reply?.compressed === true) outcome.ok("check.seen.compressed");
  else if (reply?.compressed === false) outcome.differs("recompressed", "check.seen.recompressed");
  else outcome.broken("message", "check.seen.compressedNoReply");
}

/** How the offer and the answer passed. Returns whether both ends compress. Pure. */
export function judgeCompression(outcome, described, answered) {
  const arrived = described.extensions.offered.some((line) => line.includes("permessage-deflate"));
  const { chosen } = described.extensions;
  if (!arrived) outcome.broken("offer-lost", "check.seen.deflateLost");
  else if (!chosen) outcome.differs("declined", "check.seen.deflateDeclined");
  else if (!answered) outcome.broken("answer-lost", "check.seen.deflateAnswerLost");
  else outcome.ok("check.seen.deflate");
  return arrived && Boolean(chosen) && answered;
}

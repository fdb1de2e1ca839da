// The far end of the checks: its URL, what answers there, and how it is connected to.
import { withQuery } from "../connection/url.js";
import { description } from "./described.js";
import { connect } from "./link.js";

const QUESTION = "ws-echo check: do you echo?";
const PATIENCE = 3000; // ms for which a server that sends other messages is listened to

export class Target {
  farEnd = "other"; // ws-echo | echo | other
  constructor({ url, protocols, signal, farEnd = "other" }) {
    Object.assign(this, { url, protocols, signal, farEnd });
  }
  /** The same with another signal. */
  with(signal) {
    return new Target({ ...this, signal });
  }
  get isOther() {
    return this.farEnd !== "ws-echo";
  }
  get echoes() {
    return this.farEnd !== "other";
  }
  /** Whether it is the server of this page: of another, a page reads no response of HTTP. */
  get isOwn() {
    return new URL(this.url).host === location.host;
  }
  /** A connection with these behaviours, which are for ws-echo alone: another server may refuse a query. */
  connect(behaviours = {}, protocols = []) {
    return connect(this.isOther ? this.url : withQuery(this.url, behaviours), protocols, this.signal);
  }
  /** One without an offer that is accepted: what is compressed is the check compression. */
  plain(behaviours, protocols) {
    return this.connect({ compress: "off", ...behaviours }, protocols);
  }
}

/** Finds out what answers. Resolves to the reason why there is no connection, or null. */
export async function discover(target) {
  target.farEnd = "ws-echo";
  const first = await target.plain({ hello: "json", reply: "verbatim" });
  if (first.ok && (await answer(first)) === "ws-echo") return null;
  target.farEnd = "other";
  const second = await target.connect();
  if (!second.ok) return second;
  target.farEnd = await answer(second);
  return null;
}

async function answer(link) {
  link.ws.send(QUESTION);
  const until = performance.now() + PATIENCE;
  let farEnd = "other";
  // ws-echo describes the connection first. Others may send a greeting.
  while (farEnd === "other") {
    const { data } = await link.next(until - performance.now());
    if (data === undefined) break;
    if (description(data)) farEnd = "ws-echo";
    else if (data === QUESTION) farEnd = "echo";
  }
  link.leave();
  return farEnd;
}

// The checks that a page can do, by their names, as src/check/checks/ has them. Each gets a target and an Outcome to fill.
import { TIMEOUT } from "../link.js";
import { Outcome } from "../outcome.js";
import { close } from "./close.js";
import { compression } from "./compression.js";
import { concurrency } from "./concurrency.js";
import { faults } from "./faults.js";
import { handshake } from "./handshake.js";
import { headers } from "./headers.js";
import { idle, LIMIT } from "./idle.js";
import { latency } from "./latency.js";
import { messages } from "./messages.js";
import { ping } from "./ping.js";
import { polling } from "./polling.js";
import { reset } from "./reset.js";
import { size } from "./size.js";
import { subprotocol } from "./subprotocol.js";

export const CHECKS = { handshake, headers, subprotocol, compression, messages, size, ping, close, reset, latency, concurrency, idle, faults, polling };

/** Those that take minutes, with their time in ms: they run when asked to. */
export const LONG = { idle: LIMIT };

const STEPS = 12; // timeouts that a check takes at most

/** Runs one check. One that a far end keeps busy is ended, too, and none leaves a connection open. */
export async function runCheck(name, target) {
  const outcome = new Outcome();
  const limit = STEPS * TIMEOUT + (LONG[name] ?? 0);
  const control = new AbortController();
  const abort = () => control.abort();
  target.signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(abort, limit);
  try {
    await CHECKS[name](target.with(control.signal), outcome);
    return outcome;
  } catch (error) {
    target.signal.throwIfAborted();
    if (!control.signal.aborted) throw error;
    return new Outcome().unknown("check.seen.notEnded", { time: { ms: limit } });
  } finally {
    clearTimeout(timer);
    abort();
  }
}

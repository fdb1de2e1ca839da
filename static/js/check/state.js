// The state of the checks and its actions.
import { protocolList, readUrl } from "../connection/url.js";
import { has, language } from "../shared/i18n.js";
import { app, changed } from "../state.js";
import { CHECKS, discover, runCheck, Target } from "./checks.js";
import { seenText } from "./figures.js";
import { describe, Outcome } from "./outcome.js";

export const check = {
  words: null, // the checks of check.json, in their order
  results: new Map(), // by name: { outcome, took }
  running: "", // the name of the check that runs
  run: null, // the AbortController while they run
  done: null, // { took } once they have ended
  target: "", // the URL that was checked
  farEnd: "", // what answers there, as checks.js finds
  silent: false, // nothing answers at all
  named: null, // { field, value }: what Via or Server of this page's server says
  chosen: "", // the name of the row that the detail shows
};

/** Fetches the words, once. */
export async function loadWords() {
  if (check.words) return;
  const response = await fetch("check.json");
  check.words = response.ok ? (await response.json()).checks : null;
  changed();
}

/** Whether a page can do it, so that it is not one of those for the command alone. */
export const isOwn = ({ name }) => name in CHECKS;

const cannot = (name) => new Outcome().unknown(has(`check.cannot.${name}`) ? `check.cannot.${name}` : "check.cannot.other");

/** What is known of a check: { name, verdict, seen, meaning, fix, known, took }, without a verdict before it has ended. */
export function resultOf(words) {
  const { outcome, took } = check.results.get(words.name) ?? {};
  if (!outcome) return { name: words.name };
  const { field, value = "" } = check.named ?? {};
  return { name: words.name, verdict: outcome.verdict, seen: seenText(outcome), took, field, ...describe(outcome, words, language(), value) };
}

/** What this page's own server says of itself: whether it answers, and which program stands before it. */
async function ask(url, signal) {
  if (new URL(url).host !== location.host) return { answers: null };
  try {
    const { headers } = await fetch(new URL("healthz", document.baseURI), { cache: "no-store", signal });
    const field = ["Via", "Server"].find((name) => headers.get(name));
    return { answers: true, named: field ? { field, value: headers.get(field) } : null };
  } catch {
    signal.throwIfAborted();
    return { answers: false, named: null };
  }
}

/** The outcome of the handshake if there is no connection. A browser does not tell a page the response. */
function refused({ took, answers, error }) {
  if (error) return new Outcome().broken(null, "check.page.forbidden", { error });
  const key = { true: "check.page.refused", false: "check.page.silent", null: "check.page.hidden" }[answers];
  return new Outcome().broken(null, key, { time: { ms: took } });
}

async function checkAll(target) {
  const { signal } = target;
  const { answers, named } = await ask(target.url, signal);
  check.named = named;
  const failed = await discover(target);
  check.farEnd = target.farEnd;
  check.silent = Boolean(failed) && answers === false;
  for (const words of check.words) {
    const { name } = words;
    check.running = name;
    changed();
    const began = performance.now();
    let outcome;
    if (!isOwn(words)) outcome = cannot(name);
    else if (!failed) outcome = await runCheck(name, target);
    else outcome = name === "handshake" ? refused({ took: failed.took, error: failed.error, answers }) : new Outcome().skipped("check.seen.notRun", { reason: { key: "check.seen.noWebSocket" } });
    check.results.set(name, { outcome, took: performance.now() - began });
    const broken = outcome.verdict === "broken" && [...check.results.values()].every((one) => one.outcome === outcome || one.outcome.verdict !== "broken");
    if (broken) check.chosen = name;
    changed();
  }
}

/** Runs them all. `said()` is read out at the end. */
export async function start(said) {
  const { url } = readUrl(app.tab.url);
  const began = performance.now();
  Object.assign(check, { run: new AbortController(), results: new Map(), done: null, target: url, farEnd: "", silent: false, named: null, chosen: "" });
  try {
    await loadWords().catch(() => {});
    if (check.words) await checkAll(new Target({ url, protocols: protocolList(app.tab.protocols), signal: check.run.signal }));
    if (check.words) check.done = { took: performance.now() - began };
  } catch (error) {
    // Stopped: what has ended stays.
    if (!check.run.signal.aborted) throw error;
  } finally {
    Object.assign(check, { run: null, running: "" });
    if (check.done) app.said = said();
    changed();
  }
}

export const stop = () => check.run.abort();

loadWords().catch(() => {});

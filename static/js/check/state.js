// The state of the checks and its actions.
import { protocolList, readUrl } from "../connection/url.js";
import { has, language, t } from "../shared/i18n.js";
import { app, changed } from "../state.js";
import { CHECKS, LONG, runCheck } from "./checks/index.js";
import { seenText } from "./figures.js";
import { describe, Outcome } from "./outcome.js";
import { discover, Target } from "./target.js";

export const check = {
  words: null, // the checks of check.json, in their order
  results: new Map(), // by name: { outcome, took }
  running: "", // the name of the check that runs
  began: 0, // when it began, by performance.now()
  run: null, // the AbortController while they run
  done: null, // { took } once they have ended
  target: "", // the URL that was checked
  farEnd: "", // what answers there, as target.js finds
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

/** The time in ms of a check that runs when asked to, and that waits for that. */
export const waits = ({ name }) => check.done && !check.run && check.farEnd && check.results.get(name)?.outcome.verdict === "skipped" && LONG[name];

/** What is known of a check: { name, verdict, seen, meaning, fix, known, took, paces }, without a verdict before it has ended. */
export function resultOf(words) {
  const { outcome, took } = check.results.get(words.name) ?? {};
  if (!outcome) return { name: words.name };
  const { field, value = "" } = check.named ?? {};
  // What the command's texts do not know.
  const hidden = outcome.verdict === "unknown" && outcome.sorted[0].key.startsWith("check.page.") && { meaning: t("check.page.hiddenMeans") };
  return { name: words.name, verdict: outcome.verdict, seen: seenText(outcome), took, field, paces: outcome.paces, ...describe(outcome, words, language(), value), ...hidden };
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

const notRun = (reason) => new Outcome().skipped("check.seen.notRun", { reason });

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
  check.farEnd = failed ? "" : target.farEnd;
  check.silent = Boolean(failed) && answers === false;
  for (const words of check.words) {
    const { name } = words;
    await run(name, () => {
      if (!isOwn(words)) return cannot(name);
      if (failed) return name === "handshake" ? refused({ took: failed.took, error: failed.error, answers }) : notRun({ key: "check.seen.noWebSocket" });
      return LONG[name] ? notRun({ key: "check.page.long", vars: { n: Math.ceil(LONG[name] / 60_000) } }) : runCheck(name, target);
    });
  }
}

/** Does one check. The first broken one is chosen. */
async function run(name, outcomeOf) {
  const began = performance.now();
  Object.assign(check, { running: name, began });
  changed();
  const outcome = await outcomeOf();
  check.results.set(name, { outcome, took: performance.now() - began });
  const broken = outcome.verdict === "broken" && [...check.results.values()].every((one) => one.outcome === outcome || one.outcome.verdict !== "broken");
  if (broken) check.chosen = name;
  changed();
}

/** Runs one of those that wait for it, after the others. */
export async function startLong(name) {
  const control = new AbortController();
  const waiting = check.results.get(name);
  check.results.delete(name);
  Object.assign(check, { run: control, chosen: name });
  // Its time is shown.
  const clock = setInterval(changed, 1000);
  const { target: url, farEnd } = check;
  try {
    await run(name, () => runCheck(name, new Target({ url, farEnd, protocols: [], signal: control.signal })));
    app.said = `${name}: ${t(`check.verdict.${check.results.get(name).outcome.verdict}`)}`;
  } catch (error) {
    // Stopped: it waits again.
    check.results.set(name, waiting);
    if (!control.signal.aborted) throw error;
  } finally {
    clearInterval(clock);
    Object.assign(check, { run: null, running: "" });
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

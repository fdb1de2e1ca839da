// What a check has seen, and what that means, by the rules of src/check/outcome.rs and words.rs. Pure.

/** The verdicts, the gravest last. */
export const VERDICTS = ["skipped", "ok", "unknown", "differs", "broken"];
const gravity = ({ verdict }) => VERDICTS.indexOf(verdict);
const gravest = (all) => all.reduce((worst, one) => (gravity(one) > gravity(worst) ? one : worst), { verdict: "skipped" }).verdict;

/** Observations of one check: { verdict, finding, key, vars }, with the key of a text. */
export class Outcome {
  seen = [];
  paces = []; // the times of messages, to draw: { what, pace, verdict }
  #add(verdict, finding, key, vars = {}) {
    this.seen.push({ verdict, finding, key, vars });
    return this;
  }
  ok(key, vars) {
    return this.#add("ok", null, key, vars);
  }
  unknown(key, vars) {
    return this.#add("unknown", null, key, vars);
  }
  skipped(key, vars) {
    return this.#add("skipped", null, key, vars);
  }
  differs(finding, key, vars) {
    return this.#add("differs", finding, key, vars);
  }
  broken(finding, key, vars) {
    return this.#add("broken", finding, key, vars);
  }
  /** Broken with ws-echo at the far end, and with any other server its own choice. */
  brokenUnless(other, finding, key, vars) {
    return other ? this.unknown(key, vars) : this.broken(finding, key, vars);
  }
  /** Draws the times beside the last observation, which is of them. */
  draw(what, pace) {
    if (pace.count) this.paces.push({ what, pace, verdict: this.seen.at(-1).verdict });
  }
  get verdict() {
    return gravest(this.seen);
  }
  /** The observations, the gravest first. */
  get sorted() {
    return [...this.seen].sort((a, b) => gravity(b) - gravity(a));
  }
  /** The keys of the findings, each once. */
  get findings() {
    return [...new Set(this.seen.map(({ finding }) => finding).filter(Boolean))];
  }
}

/** The verdict of all checks. A report in which no check ran knows nothing. */
export function total(outcomes) {
  const verdict = gravest(outcomes);
  return verdict === "skipped" ? "unknown" : verdict;
}

/**
 * What an outcome means, by the check's entry in check.json, and what to change: first what is for a program that `between`, the
 * values of Via and Server, names. `known` is their number.
 */
export function describe(outcome, words, language, between = "") {
  const found = outcome.findings.flatMap((key) => words.findings[key] ?? []);
  const meanings = found.map(({ meaning }) => meaning[language]);
  const text = { skipped: "", ok: words.ok[language] }[outcome.verdict];
  const meaning = text ?? (meanings.length ? meanings.join(language === "zh" ? "" : " ") : words.unknown[language]);
  const all = found.flatMap(({ fix }) => fix);
  const fix = all.filter((one, i) => all.findIndex((other) => other.where === one.where && other.change === one.change) === i);
  const named = ({ where }) => between.toLowerCase().includes(where.toLowerCase());
  return { meaning, fix: [...fix.filter(named), ...fix.filter((one) => !named(one))], known: fix.filter(named).length };
}

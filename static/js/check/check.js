// The view of the checks: what stands between this browser and a server. The form, the list, and the chosen check beside it.
import { lamp } from "../connection/lamp.js";
import { readUrl } from "../connection/url.js";
import { copyText } from "../shared/browser.js";
import { CopyButton } from "../shared/copybutton.js";
import { Divider } from "../shared/divider.js";
import { lasted } from "../shared/format.js";
import { classes, html } from "../shared/html.js";
import { language, number, t } from "../shared/i18n.js";
import { act, app, changed, wide } from "../state.js";
import { LONG } from "./checks/index.js";
import { Detail } from "./detail.js";
import { Form } from "./form.js";
import { verdictIcon } from "./icons.js";
import { total } from "./outcome.js";
import { command, json, markdown } from "./report.js";
import { check, isOwn, loadWords, resultOf, startLong, waits } from "./state.js";

const SPELT = ["zero", "one", "two", "three", "four", "five"];
let copied = ""; // what was copied last: markdown | json

const results = () => (check.words ?? []).map(resultOf);
const count = (all, verdict) => all.filter((one) => one.verdict === verdict).length;
const hostOf = (url) => new URL(url).host;

/** The sentence above the list. */
function headline() {
  const { target, done, run } = check;
  if (!target) return t("check.question");
  const { farEnd, silent } = check;
  const end = farEnd === "ws-echo" ? "ws-echo" : hostOf(target);
  if (run && !done) return t("check.running", { end: hostOf(target) });
  if (!done) return t(check.words ? "check.stopped" : "check.noWords");
  if (silent) return t("check.silent", { end });
  const broken = count(results(), "broken");
  if (!broken) return t("check.sound", { end });
  return broken === 1 ? t("check.broken.one", { end }) : t("check.broken", { n: SPELT[broken] ? t(`check.number.${SPELT[broken]}`) : number(broken), end });
}

/** How many of each verdict, and the copies. */
function Summary() {
  const { done } = check;
  if (!done) return html`<p class="check-counts">${t("check.intro")}</p>`;
  const all = results();
  const commands = (check.words ?? []).filter((words) => !isOwn(words)).length;
  const counts = { broken: count(all, "broken"), differs: count(all, "differs"), ok: count(all, "ok"), unknown: count(all, "unknown") - commands, skipped: count(all, "skipped") };
  const write = { markdown, json };
  const copy = (kind) => async () => {
    const allowed = await copyText(write[kind](check.target, total(all.filter(({ verdict }) => verdict)), all));
    copied = allowed ? kind : "";
    app.said = t(allowed ? "copied" : "notCopied");
    changed();
  };
  const link = (kind) => html`<button type="button" class="link" id=${`check-${kind}`} onClick=${copy(kind)}>${t(copied === kind ? "copied" : `check.copy.${kind}`)}</button>`;
  return html`<div class="check-counts">
    ${Object.entries(counts).map(([verdict, n]) => n > 0 && html`<span class="verdict" data-verdict=${verdict} key=${verdict}>${verdictIcon(verdict)} ${t(`check.count.${verdict}`, { n: number(n) })}</span>`)}
    ${commands > 0 && html`<span>${t("check.count.command", { n: number(commands) })}</span>`}
    <span>${t("check.took", { s: number(done.took / 1000, 1) })}</span>
    <span class="check-copies">${link("markdown")} ${link("json")}</span>
  </div>`;
}

/** Under 1100 px the chosen check stands below the list. */
const choose = (name) => act(() => {
  check.chosen = name;
  if (!wide()) requestAnimationFrame(() => document.querySelector(".check-side")?.scrollIntoView({ block: "nearest" }));
});
const duration = (ms) => (ms < 100 ? `${Math.ceil(ms)} ms` : `${number(ms / 1000, 1)} s`);

function Row({ words, chosen }) {
  const { name, verdict, seen, took } = resultOf(words);
  const running = check.running === name;
  const clock = running && LONG[name] && t("check.clock", { time: lasted(performance.now() - check.began), all: lasted(LONG[name]) });
  const word = running ? html`${lamp("connecting", 16)} ${t("check.runs")}` : verdict ? html`${verdictIcon(verdict)} ${t(`check.verdict.${verdict}`)}` : html`<span aria-hidden="true">–</span>`;
  return html`<tr class=${classes(chosen && "chosen")} data-name=${name}>
    <td class="verdict" data-verdict=${running ? "" : verdict}><span>${word}</span></td>
    <th scope="row"><button type="button" class="quiet" aria-pressed=${chosen} onClick=${choose(name)}>${name}</button></th>
    <td class=${classes("seen", !verdict && "muted")}><span>${clock || (seen ?? words.asks[language()])}</span></td>
    <td class="took">${waits(words) ? html`<button type="button" class="link" id=${`check-run-${name}`} aria-label=${`${t("check.runOne")} ${name}`} onClick=${() => startLong(name)}>${t("check.runOne")}</button>` : verdict && !running && isOwn(words) && verdict !== "skipped" ? duration(took) : ""}</td>
  </tr>`;
}

const columns = html`<colgroup><col class="verdicts" /><col class="names" /><col /><col class="times" /></colgroup>`;

function List({ chosen }) {
  const own = check.words.filter(isOwn);
  const others = check.words.filter((words) => !isOwn(words));
  const row = (words) => html`<${Row} key=${words.name} words=${words} chosen=${chosen === words} />`;
  const line = command(readUrl(check.target || app.tab.url).url ?? app.tab.url, others.map(({ name }) => name));
  return html`<table class="check-list" id="check-own" aria-label=${t("check.list")}>${columns}
      <thead><tr><th scope="col">${t("check.head.verdict")}</th><th scope="col">${t("check.head.check")}</th><th scope="col">${t("check.head.seen")}</th><th scope="col" class="took">${t("check.head.took")}</th></tr></thead>
      <tbody>${own.map(row)}</tbody></table>
    ${others.length > 0 && html`<div class="check-command"><span>${t("check.only")} <code>${line}</code></span> <${CopyButton} plain text=${() => line} /></div>
      <table class="check-list" id="check-others" aria-label=${t("check.only")}>${columns}<tbody>${others.map(row)}</tbody></table>`}`;
}

export function Check() {
  const { words } = check;
  const chosen = words?.find(({ name }) => name === check.chosen) ?? words?.find(isOwn);
  return html`<${Form} said=${headline} />
    <div class="clip"><div class="check-work" style=${{ "--side": `${app.sizes.check}px` }}>
      <div class="clip"><section class="check-main" aria-label=${t("check.list")} tabindex="0" data-pane>
        <div class="check-head"><h2>${headline()}</h2><${Summary} /></div>
        ${words ? html`<${List} chosen=${chosen} />` : html`<p class="check-command">${t("check.noWords")} <button type="button" class="link" onClick=${() => loadWords().catch(() => {})}>${t("check.retry")}</button></p>`}
      </section></div>
      ${wide() && html`<${Divider} name="check" label=${t("divider.check")} from="right" />`}
      <div class="clip side"><section class="check-side" aria-label=${t("check.detail")} tabindex="0" data-pane>${chosen && html`<${Detail} words=${chosen} />`}</section></div>
    </div></div>`;
}

// The callout under the state line: what happened, why, and the next step.
import { copyText } from "../shared/browser.js";
import { lasted, millis } from "../shared/format.js";
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { act, app, changed, wide } from "../state.js";
import { explained } from "./explain.js";
import { COMMANDS } from "./commands.js";
import { faultsOf, withFaults } from "./faults.js";
import { protocolList, queryOf, withQuery } from "./url.js";
import { newKey } from "./watch.js";

/** A text in which `code` stands between backticks. */
const rich = (text) => text.split("`").map((part, i) => (i % 2 ? html`<code>${part}</code>` : part));

const host = (url) => new URL(url).host;

function What({ tab, kind }) {
  const { end } = tab;
  const url = tab.used?.url ?? tab.url;
  if (kind === "invalid") return html`<p>${tab.invalid}</p>`;
  if (kind === "lost") {
    const silent = end.at - Math.max(end.lastSent ?? 0, end.lastReceived ?? 0, end.at - end.lasted);
    return html`<p><b>${t("what.lost", { code: end.code })}</b> ${t("what.lost.more")}</p><p>${t("what.lasted", { lasted: lasted(end.lasted), silent: millis(silent) })}</p>`;
  }
  if (kind === "refused" || kind === "asked" || kind === "unknown") {
    const status = new Map(queryOf(url)).get("handshake-status");
    return html`<p><b>${t("what.refused")}</b> ${t(kind === "unknown" ? "what.unknown.more" : "what.refused.more")} ${kind === "asked" && status && t("what.status", { status })}</p>`;
  }
  if (kind === "gone") return html`<p><b>${t("what.gone")}</b> ${t("what.gone.more", { path: "/healthz" })}</p>`;
  if (kind === "protocol" && !end.wasClean) return html`<p><b>${t("what.lost", { code: end.code })}</b> ${t("what.protocol.more")}</p>`;
  return html`<p><b>${t(end.reason ? "what.code" : "what.code.plain", { code: end.code, reason: end.reason })}</b> ${t("what.code.more")}</p>`;
}

/** What each next step does. */
function run(action, tab) {
  const connect = (url) => {
    tab.url = url;
    tab.connect();
  };
  const url = tab.used?.url ?? tab.url;
  const actions = {
    reconnect: () => tab.connect(),
    again: () => connect(url),
    retry: () => (tab.state === "waiting" ? tab.retryNow() : tab.connect()),
    stop: () => tab.stopRetrying(),
    without: () => connect(withFaults(url, faultsOf(url, app.keys).filter(([key]) => key === "reply"), app.keys)),
    alive: () => {
      tab.heartbeat.switch(true);
      connect(withQuery(url, { ping: null, pong: null }));
    },
    edit: () => document.querySelector("#url").focus(),
    view: () => {
      connect(withQuery(url, { watch: newKey() }));
    },
    limit: () => {
      app.inspector = "connection";
      app.sheet = !wide();
    },
    check: () => (app.view = "check"),
    curl: async () => {
      const done = await copyText(COMMANDS.find(({ name }) => name === "curl").line({ url, protocols: protocolList(tab.used?.protocols ?? tab.protocols) }));
      app.said = t(done ? "copied" : "notCopied");
      changed();
    },
  };
  return act(actions[action]);
}

export function Callout({ tab }) {
  const end = explained(tab);
  if (!end) return null;
  const { kind, tone, causes } = end;
  const next = end.next.filter((action) => action !== "stop" || tab.state === "waiting");
  const name = (action) => (action === "curl" && app.said === t("copied") ? t("copied") : action === "again" && tone === "error" && kind !== "lost" ? t("next.tryAgain") : t(`next.${action}`));
  const why = html`<dl class="causes">${causes.map(({ grade, key, vars }) => html`<div key=${key}><dt>${t(`grade.${grade}`)}</dt><dd>${rich(t(key, vars))}</dd></div>`)}</dl>`;
  const whyTitle = t(causes.some(({ grade }) => grade === "certain") ? "why" : "why.far");
  return html`<section class="callout" data-tone=${tone} aria-live="polite" aria-labelledby="callout-title">
    <div class="what"><h2 id="callout-title">${t(`callout.${kind}`, { host: tab.used ? host(tab.used.url) : "" })}</h2><${What} tab=${tab} kind=${kind} /></div>
    ${causes.length > 0 && (wide() ? html`<div class="why"><h3>${whyTitle}</h3>${why}</div>` : html`<details class="why"><summary>${whyTitle}</summary>${why}</details>`)}
    <div class="next"><h3>${t("next")}</h3>${next.map((action, i) => html`<button type="button" key=${action} data-next=${action} class=${i === 0 && !app.drawer ? "primary" : ""} onClick=${run(action, tab)}>${name(action)}</button>`)}</div>
    <button type="button" class="icon-button dismiss" aria-label=${t("dismiss")} onClick=${act(() => (tab.dismissed = true))}>${icon("close")}</button>
  </section>`;
}

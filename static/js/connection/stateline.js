// The line under the address bar: the figures of the connection, and the faults as chips at its end.
import { openDrawer } from "../drawer/open.js";
import { clock, lasted, millis } from "../shared/format.js";
import { Component, classes, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { icon } from "../shared/icons.js";
import { act, app, wide } from "../state.js";
import { faultsOf, pairText, withFaults } from "./faults.js";
import { SubprotocolField } from "./subprotocol.js";
import { endsByItself, readUrl, withQuery } from "./url.js";

const CHIPS = { wide: 3, other: 1 }; // shown; the rest is a number

/** The clock's offset in words, or nothing while it is unknown. */
export function clockText(tab) {
  const estimate = tab.timing.clock.estimate();
  if (!estimate) return "";
  const vars = { x: millis(Math.abs(estimate.offset)), y: millis(estimate.uncertainty).replace(/ ms$/, "") };
  return t(estimate.offset < 0 ? "clock.behind" : "clock.ahead", vars);
}

/** The figures of a connection: [name, value, class]. */
export function figures(tab) {
  const { end, opened } = tab;
  const items = [];
  if (!opened) return items;
  const lastedMs = end?.opened ? end.lasted : performance.now() - opened.at;
  items.push([t("openFor"), lasted(lastedMs)], [t("rtt"), millis(tab.rtt)], [t("serverTime"), tab.stamp ? clock(tab.stamp) : "–"]);
  items.push([t("sent"), number(tab.sent)], [t("received"), number(tab.received)]);
  if (tab.waiting && tab.open) items.push([t("waiting"), number(tab.waiting)]);
  items.push([t("extensions"), opened.extensions || t("none")]);
  const offset = clockText(tab);
  if (offset) items.push([t("clockOffset"), offset]);
  return items;
}

/** What the state line says before the figures. */
export function news(tab) {
  const now = performance.now();
  const bad = readUrl(tab.url).error;
  if (bad) return html`<span class="error" id="url-error">${t(bad)}</span>`;
  if (tab.invalid) return html`<span class="error">${tab.invalid}</span>`;
  if (tab.retry) {
    const left = Math.ceil((tab.retry.at - now) / 1000);
    return html`<span><b>${left > 0 ? t("again.in", { n: left }) : t("again.now")}</b>${tab.retry.attempt === 1 ? t("again.first") : t("again.nth", { n: tab.retry.attempt })}</span>
      <button type="button" class="link" onClick=${() => tab.retryNow()}>${t("again.try")}</button>
      <button type="button" class="link" onClick=${() => tab.stopRetrying()}>${t("again.stop")}</button>`;
  }
  if (tab.word === "connecting") {
    const took = now - tab.began;
    return took >= 1000 && html`<span>${t("handshake.for", { time: `${number(took / 1000, 1)} s` })}</span><button type="button" class="link" onClick=${() => tab.close()}>${t("cancel")}</button>`;
  }
  if (tab.word === "refused" && tab.used) {
    return html`<span class="figure">${t("refused.after")} <b>${millis(tab.end.took)}</b></span>${endsByItself(tab.used.url) && html`<span class="figure">${t("retries")} <b>${t("again.off")}</b></span>`}`;
  }
  return null;
}

export function StateLine({ tab }) {
  const stale = !tab.open && tab.opened && tab.word !== "closing";
  return html`<div class="stateline">
    ${!wide() && html`<${SubprotocolField} tab=${tab} short />`}
    <${Fitting} class="news">${news(tab)}<//>
    ${tab.word !== "refused" && tab.word !== "connecting" && html`<${Fitting} class=${classes("figures", stale && "stale")}>
      ${stale && tab.end && html`<span class="muted">${t("asOf", { time: clock(tab.end.at).slice(0, 8) })}</span>`}
      ${figures(tab).map(([name, value]) => html`<span class="figure" key=${name}>${name} <b>${value}</b></span>`)}
    <//>`}
    <${Chips} tab=${tab} />
  </div>`;
}

/** Shows as many of its children as fit on the line, dropping them from the end. */
class Fitting extends Component {
  componentDidMount() {
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.element);
    this.fit();
  }
  componentDidUpdate() {
    this.fit();
  }
  componentWillUnmount() {
    this.observer.disconnect();
  }
  // Items wrap onto hidden lines, so it suffices to measure whether one stands on the first. An item that is alone there can be
  // wider than the line.
  fit() {
    const { element } = this;
    const top = element.firstElementChild?.offsetTop ?? 0;
    const { right } = element.getBoundingClientRect();
    for (const item of element.children) item.toggleAttribute("inert", item.offsetTop > top || item.getBoundingClientRect().right > right + 1);
  }
  render({ class: name, children }) {
    return html`<div ref=${(element) => element && (this.element = element)} class=${classes("fitting", name)}>${children}</div>`;
  }
}

export function Chips({ tab }) {
  const pairs = faultsOf(tab.url, app.keys);
  if (!pairs.length) return null;
  const used = new Set(tab.used ? faultsOf(tab.used.url, app.keys).map(pairText) : []);
  const shown = pairs.slice(0, wide() ? CHIPS.wide : CHIPS.other);
  const remove = (key) => act(() => (tab.url = withQuery(tab.url, { [key]: null })));
  const open = (key) => act(() => openDrawer(tab, key));
  return html`<div class="chips">
    <span class="muted">${t("simulating")}</span>
    ${shown.map((pair) => {
      const text = pairText(pair);
      return html`<span class=${classes("chip", used.has(text) && "used")} key=${text}>
        <button type="button" class="chip-text" aria-label=${t(used.has(text) ? "chip.used" : "chip.changed", { pair: text })} onClick=${open(pair[0])}>${text}</button>
        <button type="button" class="chip-remove" aria-label=${t("chip.remove", { pair: text })} onClick=${remove(pair[0])}>${icon("close", 12)}</button>
      </span>`;
    })}
    ${pairs.length > shown.length && html`<button type="button" class="chip" aria-label=${t("chips.more", { n: pairs.length - shown.length })} onClick=${open(pairs[shown.length][0])}>+${pairs.length - shown.length}</button>`}
    <button type="button" class="link" onClick=${act(() => (tab.url = withFaults(tab.url, [], app.keys)))}>${t("clear")}</button>
  </div>`;
}

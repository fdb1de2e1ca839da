// What the laboratory has measured: the tables, the bars, and their copies.
import { copyText, download } from "../shared/browser.js";
import { bytes, millis } from "../shared/format.js";
import { html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { app, changed } from "../state.js";
import { CLASSIC, CLIENTS, markdown, mbits, overhead } from "./cost.js";
import { lab } from "./state.js";

let copied = null; // the series that were copied last

export const sizeText = (size) => bytes(size).replace(".0 ", " ");
export const ms = (value) => (value >= 100 && value < 1000 ? `${number(value, 1)} ms` : millis(value));
const mbit = (value) => number(value, value < 10 ? 2 : value < 100 ? 1 : 0);

function figureRows() {
  const head = ["lab.over", "lab.message", "lab.median", "lab.p99", "lab.aSecond", "lab.up", "lab.down", "lab.overhead"].map((key) => t(key));
  const rows = lab.series.map((one) => [t(one.kind === "sse" ? "lab.ssePush" : `lab.${one.kind}`), sizeText(one.size), ms(one.median), ms(one.p99), number(one.perSecond), number(one.cost.up), number(one.cost.down), number(overhead(one.cost))]);
  return [head, ...rows];
}

function classicRows() {
  const costs = lab.series.slice(0, 2).map(({ cost }) => overhead(cost));
  const [poll, ws] = costs.map((cost) => number(cost));
  const head = [t("lab.clients"), t("lab.pollNow", { n: poll }), t("lab.wsNow", { n: ws }), t("lab.in2010", { n: CLASSIC.poll }), t("lab.in2010", { n: CLASSIC.ws })];
  return [head, ...CLIENTS.map((n) => [number(n), ...[...costs, CLASSIC.poll, CLASSIC.ws].map((cost) => mbit(mbits(n, cost)))])];
}

function Table({ id, rows: [head, ...rows], caption, hidden }) {
  return html`<div id=${id} class="scroll" role="region" aria-label=${caption} tabindex="0" data-pane><table>
    <caption class=${hidden ? "hidden" : ""}>${caption}</caption>
    <thead><tr>${head.map((cell) => html`<th scope="col" key=${cell}>${cell}</th>`)}</tr></thead>
    <tbody>${rows.map(([first, ...cells], i) => html`<tr key=${i}><th scope="row">${first}</th>${cells.map((cell, i) => html`<td key=${i}>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

function Bars({ title, value, text }) {
  const two = lab.series.slice(0, 2);
  const most = Math.max(...two.map(value));
  return html`<h3>${title}</h3><dl class="bars">${two.map((one) => html`<div key=${one.kind}><dt>${t(one.kind === "poll" ? "lab.polling" : "lab.ws")}</dt><dd><i class=${one.kind} style=${{ inlineSize: `${(100 * value(one)) / most}%` }}></i></dd><dd>${text(value(one))}</dd></div>`)}</dl>`;
}

export function Figures() {
  const { series, done } = lab;
  const copy = async () => {
    const allowed = await copyText(`${markdown(figureRows())}\n\n${t("lab.leftOut")}\n\n${markdown(classicRows())}\n`);
    copied = allowed ? series : null;
    app.said = t(allowed ? "copied" : "notCopied");
    changed();
  };
  const save = () => {
    const json = { measuredAt: new Date(done.at).toISOString(), page: location.origin, results: series, leftOut: ["TLS", "TCP", "IP"], classic2010: CLASSIC };
    download("ws-echo-lab.json", "application/json", [JSON.stringify(json, null, 2)]);
  };
  const fewer = series.filter(({ kind, times }) => kind === "ws" && times < done.times);
  return html`<div id="lab-results">
    <div class="side-head"><h2>${t("lab.figures")}</h2><button type="button" class="link" id="lab-markdown" onClick=${copy}>${t(copied === series ? "copied" : "lab.markdown")}</button><button type="button" class="link" id="lab-json" onClick=${save}>${t("lab.json")}</button></div>
    <${Table} id="lab-table" rows=${figureRows()} caption=${t("lab.caption")} hidden />
    <${Bars} title=${t("lab.barsTrip", { size: sizeText(series[0].size) })} value=${(one) => one.median} text=${ms} />
    <${Bars} title=${t("lab.barsOverhead")} value=${(one) => overhead(one.cost)} text=${(n) => `${number(n)} B`} />
    <h2>${t("lab.classic")}</h2>
    <${Table} id="lab-classic" rows=${classicRows()} caption=${t("lab.classicCaption")} />
    <p>${t("lab.leftOut")} ${fewer.map((one) => t("lab.fewer", { size: sizeText(one.size), n: one.times })).join(" ")}</p>
  </div>`;
}

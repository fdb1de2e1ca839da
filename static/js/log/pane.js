// The log: its tools, the heartbeat row and the rows.
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { narrow } from "../state.js";
import { HeartbeatRow } from "./heartbeatrow.js";
import { LogList, showsView } from "./list.js";
import { find, Tools } from "./tools.js";

const COLUMNS = ["time", "event", "type", "size", "trip", "content"];

function Heads({ server }) {
  return html`<div id="log-heads" class="heads" role="row" aria-rowindex="1">
    ${COLUMNS.map((name) => html`<span key=${name} role="columnheader" class=${name}>${t(`col.${name}`)}</span>`)}
    ${server && html`<span role="columnheader">${t("view")}</span>`}
  </div>`;
}

/** What stands in the place of rows. */
function Empty({ tab }) {
  const { text, kinds, types } = tab.find;
  if (tab.log.length > 0 || tab.finder.busy) return null;
  if (!text && !kinds && !types) return html`<p class="log-empty">${t("log.empty")}</p>`;
  return html`<p class="log-empty">${t("log.none")} <button type="button" class="link" id="unfilter" onClick=${() => find(tab, { text: "", kinds: "", types: "" })}>${t("log.unfilter")}</button></p>`;
}

/** How many rows came since the log does not follow, and why it does not. */
function Unseen({ tab }) {
  const { unseen } = tab;
  return unseen > 0 && html`<div class="unseen-rows"><span>${t(tab.selected ? "log.chosen" : "log.scrolled")}</span><button type="button" id="follow" class="on" onClick=${() => tab.follow()}>${t("log.new", { n: number(unseen) })}${icon("chevronDown")}</button></div>`;
}

export function LogPane({ tab }) {
  const server = showsView(tab);
  const { error } = tab.finder;
  const toFind = () => {
    if (narrow()) find(tab, { shown: true });
    requestAnimationFrame(() => document.querySelector("#find")?.select());
  };
  return html`<section class="log" aria-label=${t("log")} data-server=${server ? "on" : null}>
    <${Tools} tab=${tab} />
    <p id="find-error" class="log-said error" role="status" hidden=${!error}>${error && t(error.key, error.vars)}</p>
    ${tab.open && tab.watched && !tab.view.on && html`<p class="log-said">${t("view.next")} <button type="button" class="link" id="view-now" onClick=${() => tab.connect("view")}>${t("view.now")}</button></p>`}
    ${!narrow() && html`<${Heads} server=${server} />`}
    ${(!tab.imported || tab.heartbeat.last) && html`<${HeartbeatRow} tab=${tab} />`}
    <div class="log-rows">
      <${LogList} key=${tab.id} tab=${tab} onFind=${toFind} />
      <${Empty} tab=${tab} />
      <${Unseen} tab=${tab} />
    </div>
  </section>`;
}

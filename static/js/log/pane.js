// The log: its tools, the heartbeat row and the rows.
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { act, narrow } from "../state.js";
import { HeartbeatRow } from "./heartbeatrow.js";
import { LogList, showsView } from "./list.js";
import { filtered, Tools, unfilter } from "./tools.js";

const COLUMNS = ["time", "event", "type", "size", "trip", "content"];

function Heads({ server }) {
  const names = server ? [...COLUMNS, "server"] : COLUMNS;
  return html`<div id="log-heads" class="heads" role="row" aria-rowindex="1">
    ${names.map((name) => html`<span key=${name} role="columnheader" class=${name}>${t(name === "server" ? "view" : `col.${name}`)}</span>`)}
  </div>`;
}

/** What stands in the place of rows. */
function Empty({ tab }) {
  if (tab.log.length > 0 || tab.finder.busy) return null;
  if (!filtered(tab)) return html`<p class="log-empty">${t("log.empty")}</p>`;
  return html`<p class="log-empty">${t("log.none")} <button type="button" class="link" id="unfilter" onClick=${act(() => unfilter(tab))}>${t("log.unfilter")}</button></p>`;
}

/** How many rows came since the log does not follow, and why it does not. */
function Unseen({ tab }) {
  const { unseen } = tab;
  if (unseen === 0) return null;
  return html`<div class="unseen-rows"><span>${t(tab.selected ? "log.chosen" : "log.scrolled")}</span><button type="button" id="follow" class="primary" onClick=${() => tab.follow()}>${t("log.new", { n: number(unseen) })}${icon("chevronDown")}</button></div>`;
}

export function LogPane({ tab }) {
  const server = showsView(tab);
  const { error } = tab.finder;
  const find = () => {
    if (narrow()) tab.find.shown = true;
    requestAnimationFrame(() => document.querySelector("#find")?.select());
  };
  const later = tab.open && tab.watched && !tab.view.on;
  return html`<section class="log" aria-label=${t("log")} data-server=${server ? "on" : null}>
    <${Tools} tab=${tab} />
    <p id="find-error" class="log-said error" role="status" hidden=${!error}>${error && t(error.key, error.vars)}</p>
    ${later && html`<p class="log-said">${t("view.next")} <button type="button" class="link" id="view-now" onClick=${() => tab.connect("view")}>${t("view.now")}</button></p>`}
    ${!narrow() && html`<${Heads} server=${server} />`}
    ${(!tab.imported || tab.heartbeat.last) && html`<${HeartbeatRow} tab=${tab} />`}
    <div class="log-rows">
      <${LogList} key=${tab.id} tab=${tab} onFind=${find} />
      <${Empty} tab=${tab} />
      <${Unseen} tab=${tab} />
    </div>
  </section>`;
}

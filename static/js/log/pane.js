// The log: its tools, the heartbeat row and the rows.
import { clock } from "../shared/format.js";
import { html } from "../shared/html.js";

export function LogPane({ tab }) {
  const rows = [];
  for (let i = Math.max(0, tab.log.length - 40); i < tab.log.length; i++) rows.push(tab.log.at(i));
  return html`<section class="log" aria-label="Log">
    <p id="mes">${tab.heartbeat.last?.data}</p>
    ${rows.map((row) => html`<div key=${row.id} class="row" data-kind=${row.kind}>${clock(row.at)} ${row.kind} ${typeof row.data === "string" ? row.data : ""}</div>`)}
  </section>`;
}

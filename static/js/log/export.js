// The menu Export: what the log shows as text or file, and a file as a log.
import { arrows } from "../connection/historymenu.js";
import { addTab } from "../connection/tabs.js";
import { Tab } from "../connection/tab.js";
import { copyText, download } from "../shared/browser.js";
import { bytes } from "../shared/format.js";
import { Component, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { act, app, changed } from "../state.js";
import { fromHar, isHar, toHar } from "./har.js";
import { BadFile, fromJsonLines, jsonLine } from "./jsonl.js";
import { allLines } from "./list.js";
import { rowsText, total } from "./tools.js";

function rowsOf(log) {
  const rows = [];
  for (let i = 0; i < log.length; i++) rows.push(log.at(i));
  return rows;
}

/** The rows of a file's text, in either format. Throws BadFile. */
function readLog(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    /* more than one line of JSON, or none */
  }
  return isHar(value) ? fromHar(value) : fromJsonLines(text);
}

export class ExportItems extends Component {
  copied = "";
  error = "";

  copy = async () => {
    const { log } = this.props.tab;
    const done = await copyText(allLines(log));
    app.said = this.copied = done ? t("export.copied", { rows: rowsText(log.length) }) : t("notCopied");
    changed();
  };
  import = async (event) => {
    const [file] = event.target.files;
    try {
      const rows = readLog(await file.text());
      const url = rows.find((row) => row.kind === "opened")?.note.vars.url;
      const tab = new Tab(url ? { url: String(url) } : {});
      tab.load(file.name, rows);
      addTab(tab);
    } catch (error) {
      if (!(error instanceof BadFile)) throw error;
      this.error = t(error.key, { ...error.vars, why: t(error.vars.why) });
    }
    changed();
  };

  render({ tab }) {
    const { log } = tab;
    const save = (name, type, parts) =>
      act(() => {
        download(name, type, parts());
        app.popover = null;
      });
    const lines = () => rowsOf(log).map((row) => `${jsonLine(row)}\n`);
    const har = () => [JSON.stringify(toHar(rowsOf(log), tab.used?.url ?? tab.url), null, 2)];
    const entry = (id, name, note, onClick) => html`<li><button type="button" id=${id} onClick=${onClick}><span>${name}</span><span class="muted">${note}</span></button></li>`;
    return html`<div onKeyDown=${arrows}>
      <h2>${t("export.rows", { rows: rowsText(log.length), total: number(total(tab)) })}</h2>
      ${log.dropped > 0 && html`<p class="muted">${t("export.dropped", { n: number(log.dropped), rows: number(log.maxRows), size: bytes(log.maxBytes) })}</p>`}
      <ul class="menu">
        ${entry("copy-log", t("copy"), this.copied || (/Mac|iP/.test(navigator.platform) ? "⌘ C" : "Ctrl C"), this.copy)}
        ${entry("save-jsonl", t("export.jsonl"), "", save("ws-echo.jsonl", "application/jsonl", lines))}
        ${entry("save-har", t("export.har"), t("export.devtools"), save("ws-echo.har", "application/json", har))}
      </ul>
      <hr />
      <ul class="menu">${entry("import", t("export.import"), t("export.tab"), () => this.file.click())}</ul>
      <input type="file" id="import-file" hidden accept=".har,.jsonl,.ndjson,.json" ref=${(element) => (this.file = element)} onChange=${this.import} />
      ${this.error && html`<p class="error" role="alert">${this.error}</p>`}
    </div>`;
  }
}

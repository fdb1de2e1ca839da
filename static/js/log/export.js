// The menu Export: what the log shows as text or file, and a file as a log.
import { arrows } from "../connection/historymenu.js";
import { addTab } from "../connection/tabs.js";
import { Tab } from "../connection/tab.js";
import { copyText, download } from "../shared/browser.js";
import { bytes } from "../shared/format.js";
import { Component, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { app, changed } from "../state.js";
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
export function readLog(text) {
  if (!text.trim()) throw new BadFile("import.empty");
  let value = null;
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
    const rows = rowsText(log.length);
    this.copied = (await copyText(allLines(log))) ? t("export.copied", { rows }) : t("notCopied");
    app.said = this.copied;
    changed();
  };
  import = async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try {
      const rows = readLog(await file.text());
      const url = rows.find((row) => row.kind === "opened")?.note.vars.url;
      const tab = new Tab(typeof url === "string" && url ? { url } : {});
      tab.load(file.name, rows);
      addTab(tab);
    } catch (error) {
      if (!(error instanceof BadFile)) throw error;
      const { why } = error.vars;
      this.error = t(error.key, { ...error.vars, why: why && t(why) });
    }
    changed();
  };

  render({ tab }) {
    const { log } = tab;
    const save = (name, type, parts) => () => {
      download(name, type, parts());
      app.popover = null;
      changed();
    };
    const lines = () => rowsOf(log).map((row) => `${jsonLine(row)}\n`);
    const har = () => [JSON.stringify(toHar(rowsOf(log), tab.used?.url ?? tab.url), null, 2)];
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    return html`<div onKeyDown=${arrows}>
      <h2>${t(log.length === 1 ? "export.row" : "export.rows", { n: number(log.length), total: number(total(tab)) })}</h2>
      ${log.dropped > 0 && html`<p class="muted">${t("export.dropped", { n: number(log.dropped) })} ${t("export.cap", { rows: number(log.maxRows), size: bytes(log.maxBytes) })}</p>`}
      <ul class="menu">
        <li><button type="button" id="copy-log" onClick=${this.copy}><span>${t("copy")}</span><span class="muted">${this.copied || (mac ? "⌘ C" : "Ctrl C")}</span></button></li>
        <li><button type="button" id="save-jsonl" onClick=${save("ws-echo.jsonl", "application/jsonl", lines)}><span>${t("export.jsonl")}</span></button></li>
        <li><button type="button" id="save-har" onClick=${save("ws-echo.har", "application/json", har)}><span>${t("export.har")}</span><span class="muted">${t("export.devtools")}</span></button></li>
      </ul>
      <hr />
      <ul class="menu"><li><button type="button" id="import" onClick=${() => this.file.click()}><span>${t("export.import")}</span><span class="muted">${t("export.tab")}</span></button></li></ul>
      <input type="file" id="import-file" hidden accept=".har,.jsonl,.ndjson,.json,application/json" ref=${(element) => (this.file = element)} onChange=${this.import} />
      ${this.error && html`<p class="error" role="alert">${this.error}</p>`}
    </div>`;
  }
}

// The rows of the log. Only those in sight are in the document, so 100,000 rows cost what forty cost. Every row is as
// high as every other: a row's place is its index times that.
import { copyText } from "../shared/browser.js";
import { bytes, clock, hexLine, millis, oneLine } from "../shared/format.js";
import { Component, classes, html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { act, app, changed, narrow, wide } from "../state.js";
import { jsonLine } from "./jsonl.js";
import { isFailure, noteText, roughly } from "./notes.js";
import { splitStamp } from "./pending.js";
import { shape } from "./shapes.js";
import { wire } from "./wire.js";

const MARGIN = 8; // rows kept ready above and below those in sight
const SHOWN = 300; // characters of a message that a row has
const FRESH = 4; // more new rows than these in one frame do not fade in

const dividers = new Set(["opened", "ended"]);

/** A message in one line, the stamp set apart; or what the page says. */
export function content(row, most = SHOWN) {
  const { data } = row;
  if (data === null) return noteText(row);
  const [body, stamp] = splitStamp(row);
  if (typeof data === "string") {
    const line = oneLine(body, most);
    return stamp && body.length <= most ? html`${line}<span class="stamp">${stamp}</span>` : line;
  }
  const line = hexLine(body, most / 4);
  return stamp && body.length <= most / 4 ? html`${line} <span class="stamp">${hexLine(stamp)}</span>` : line;
}

/** Has the log the column of the server's view? */
export const showsView = (tab) => wide() && tab.view.on && tab.watched;

const cell = (name, content) => html`<span role="gridcell" class=${name}>${content}</span>`;
const typeOf = (row) => row.type && t(`type.${row.type}`);
const sizeOf = (row) => (row.data !== null || row.kind === "control" || row.kind === "close") && bytes(row.size);

function cells(row, server) {
  const seen = server && wire(row);
  return html`
    ${cell("time", clock(row.at))}
    <span role="gridcell" class="event">${shape(row.kind)}${t(`kind.${row.kind}`)}</span>
    ${cell("type", typeOf(row))}${cell("size", sizeOf(row))}${cell("trip", row.rtt !== null && millis(row.rtt))}
    <span role="gridcell" class=${classes("content", row.data !== null && "mono")}>${content(row)}</span>
    ${server && html`<span role="gridcell" class="server">${seen && html`<span>${seen.name} <i>${seen.flags}</i></span><i>${bytes(seen.bytes)}</i>`}</span>`}
  `;
}

/** Under 700 px: the content, and beneath it everything else. */
function lines(row) {
  const facts = [t(`kind.${row.kind}`), typeOf(row), row.data !== null && bytes(row.size), clock(row.at)];
  return html`${shape(row.kind)}
    <span role="gridcell" class=${classes("content", row.data !== null && "mono")}>${content(row)}</span>
    ${cell("facts-line", facts.filter(Boolean).join(t("log.comma")))}${cell("trip", row.rtt !== null && millis(row.rtt))}
  `;
}

function divider(row, small) {
  const { took } = row.note?.vars ?? {};
  const said = small && row.kind === "opened" ? Number.isFinite(took) && t("opened.took", { time: roughly(took) }) : noteText(row);
  const text = small ? [clock(row.at).slice(0, 8), said].filter(Boolean).join(t("log.comma")) : said;
  return html`${!small && cell("time", clock(row.at))}<span role="gridcell" class="event"><b class=${isFailure(row) ? "error" : null}>${t(`kind.${row.kind}`)}</b><span>${text}</span></span>`;
}

export class LogList extends Component {
  top = this.props.tab.scrollTop ?? 0; // px that are scrolled away
  height = 0;
  row = 24;
  shifted = this.props.tab.log.shifted;
  newest = Infinity; // the id of the newest row drawn
  chosen = null; // the chosen row when it was brought into sight
  version = -1; // of the view then
  applied = -1; // the scroll position as it was set or reported last

  componentDidMount() {
    this.observer = new ResizeObserver(() => {
      // A chosen row that was in sight stays there.
      const index = this.chosen ? this.props.tab.log.indexOf(this.chosen) : -1;
      if (index >= 0 && (index + 1) * this.row <= this.top + this.height) this.chosen = undefined;
      this.height = this.grid.clientHeight;
      this.grid.closest(".log").style.setProperty("--scrollbar", `${this.grid.offsetWidth - this.grid.clientWidth}px`);
      this.row = Number.parseFloat(getComputedStyle(this.grid).getPropertyValue("--row"));
      changed();
    });
    this.observer.observe(this.grid);
  }
  componentWillUnmount() {
    this.observer.disconnect();
    this.props.tab.scrollTop = this.top;
  }
  componentDidUpdate() {
    if (this.top === this.applied) return;
    this.grid.scrollTop = this.applied = this.top;
  }

  /** The scroll position of this frame. */
  place(tab) {
    const { log, selected } = tab;
    const most = Math.max(0, log.length * this.row - this.height);
    // Rows that the cap took from the front would make what is being read slide away.
    const gone = log.shifted - this.shifted;
    this.shifted = log.shifted;
    if (tab.following) this.top = most;
    else if (gone) this.top = Math.max(0, this.top - gone * this.row);
    if (selected && this.height && (selected !== this.chosen || log.version !== this.version)) {
      const index = log.indexOf(selected);
      if (index >= 0) this.top = Math.max(Math.min(this.top, index * this.row), (index + 1) * this.row - this.height);
    }
    this.chosen = selected;
    this.version = log.version;
    this.top = Math.max(0, Math.min(this.top, most));
    if (!tab.following && this.height && this.top >= most) tab.scrolled(true); // the newest row is in sight
  }

  choose(row) {
    app.inspector = "message";
    this.props.tab.select(row);
  }

  scroll = () => {
    const { tab } = this.props;
    const { scrollTop, clientHeight } = this.grid;
    if (Math.abs(scrollTop - this.applied) < 2) return; // this list's own doing
    this.top = this.applied = scrollTop;
    this.height = clientHeight;
    tab.scrolled(this.top >= tab.log.length * this.row - this.height - this.row / 2);
    changed();
  };

  key = (event) => {
    const { tab } = this.props;
    const { log, selected } = tab;
    const last = log.length - 1;
    const now = selected ? log.indexOf(selected) : -1;
    const page = Math.max(1, Math.floor(this.height / this.row) - 1);
    const to = { ArrowUp: now < 0 ? last : now - 1, ArrowDown: now < 0 ? last : now + 1, PageUp: (now < 0 ? last : now) - page, PageDown: (now < 0 ? last : now) + page, Home: 0 }[event.key];
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "f") this.props.onFind();
    else if (command && event.key === "c" && getSelection().isCollapsed) copyText(selected ? jsonLine(selected) : allLines(log)).then((done) => said(done ? "copied" : "notCopied"));
    else if (command || event.altKey) return;
    else if (event.key === "End") tab.follow();
    else if (to !== undefined && last >= 0) this.choose(log.at(Math.min(last, Math.max(0, to))));
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") selected?.pair && log.indexOf(selected.pair) >= 0 && this.choose(selected.pair);
    else if (event.key === "Enter") inspect();
    else return;
    event.preventDefault();
  };

  click = (event) => {
    const line = event.target.closest("[data-id]");
    if (!line || !getSelection().isCollapsed) return;
    const { tab } = this.props;
    for (let i = this.first; i < this.end; i++) if (tab.log.at(i).id === Number(line.dataset.id)) this.choose(tab.log.at(i));
    app.sheet ||= narrow();
    changed();
  };

  render({ tab }) {
    this.place(tab);
    const { log, selected } = tab;
    const small = narrow();
    const server = showsView(tab);
    // A list that follows is not scrolled upwards without a frame between.
    this.first = Math.max(0, Math.floor(this.top / this.row) - (tab.following ? 1 : MARGIN));
    this.end = Math.min(log.length, Math.ceil((this.top + this.height) / this.row) + MARGIN);
    const rows = [];
    for (let i = this.first; i < this.end; i++) rows.push(log.at(i));
    const came = rows.filter((row) => row.id > this.newest).length;
    const fresh = came > 0 && came <= FRESH ? this.newest : Infinity;
    this.newest = rows.reduce((id, row) => Math.max(id, row.id), 0);
    const active = selected && rows.includes(selected) ? `row-${selected.id}` : null;
    return html`<div id="log-grid" ref=${(element) => (this.grid = element)} class="grid" role="grid" tabindex="0" data-pane aria-label=${t("log")} aria-rowcount=${log.length + 1} aria-owns=${small ? null : "log-heads"} aria-activedescendant=${active}
      aria-busy=${tab.finder.busy ? "true" : null} onScroll=${this.scroll} onKeyDown=${this.key} onClick=${this.click}>
      <div class="sizer" role="presentation" style=${{ height: `${log.length * this.row}px` }}>
        <div class="window" role="presentation" style=${{ marginTop: `${this.first * this.row}px` }}>
          ${rows.map((row, i) => {
            const isDivider = dividers.has(row.kind);
            return html`<div role="row" key=${row.id} id=${`row-${row.id}`} data-id=${row.id} data-kind=${row.kind} aria-rowindex=${this.first + i + 2} aria-selected=${row === selected}
              class=${classes("row", isDivider && "divider-row", selected !== null && row.pair === selected && "pair", row.id > fresh && "fresh")}>
              ${isDivider ? divider(row, small) : small ? lines(row) : cells(row, server)}
            </div>`;
          })}
        </div>
      </div>
    </div>`;
  }
}

const said = act((key) => (app.said = t(key)));

/** All rows shown, as JSON Lines. */
export function allLines(log) {
  let text = "";
  for (let i = 0; i < log.length; i++) text += `${jsonLine(log.at(i))}\n`;
  return text;
}

/** Moves the focus to the inspector, which is opened if it has no place beside the log. */
function inspect() {
  if (!wide()) app.sheet = true;
  changed();
  requestAnimationFrame(() => document.querySelector(".inspector [role=tab][aria-selected=true]")?.focus());
}

// The rows of the log. Only those in sight are in the document, so 100,000 rows cost what forty cost. Every row is as
// high as every other: a row's place is its index times that.
import { copyText } from "../shared/browser.js";
import { bytes, clock, hexLine, millis, oneLine } from "../shared/format.js";
import { Component, classes, html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { app, changed, narrow, wide } from "../state.js";
import { jsonLine } from "./jsonl.js";
import { isFailure, noteText, roughly } from "./notes.js";
import { splitStamp } from "./pending.js";
import { shape } from "./shapes.js";
import { wire } from "./wire.js";

const MARGIN = 8; // rows kept ready above and below those in sight
const SHOWN = 300; // characters of a message that a row has
const FRESH = 4; // more new rows than these in one frame do not fade in

/** A message in one line, the stamp set apart; or what the page says. */
function content(row) {
  if (row.data === null) return noteText(row);
  const [body, stamp] = splitStamp(row);
  const text = typeof body === "string";
  const most = text ? SHOWN : SHOWN / 4;
  const line = text ? oneLine(body, most) : hexLine(body, most);
  if (!stamp || body.length > most) return line;
  return html`${line}${!text && " "}<span class="stamp">${text ? stamp : hexLine(stamp)}</span>`;
}

/** Has the log the column of the server's view? */
export const showsView = (tab) => wide() && tab.view.on && tab.watched;

const cell = (name, content) => html`<span role="gridcell" class=${name}>${content}</span>`;

function cells(row, server) {
  const sized = row.data !== null || row.kind === "control" || row.kind === "close";
  const seen = server && wire(row);
  return html`
    ${cell("time", clock(row.at))}
    ${cell("event", html`${shape(row.kind)}<span>${t(`kind.${row.kind}`)}</span>`)}
    ${cell("type", row.type && t(`type.${row.type}`))}
    ${cell("size", sized && bytes(row.size))}
    ${cell("trip", row.rtt !== null && millis(row.rtt))}
    ${cell(row.data === null ? "content" : "content mono", content(row))}
    ${server && cell("server", seen && html`<span>${seen.name} <i>${seen.flags}</i></span><i>${bytes(seen.bytes)}</i>`)}
  `;
}

function divider(row) {
  let said = noteText(row);
  const took = row.note?.vars?.took;
  if (narrow() && row.kind === "opened") said = took ? t("opened.took", { time: roughly(took) }) : "";
  return html`${cell("time", clock(row.at))}${cell("event", html`<b class=${isFailure(row) && "error"}>${t(`kind.${row.kind}`)}</b><span>${said}</span>`)}`;
}

export class LogList extends Component {
  top = this.props.tab.scrollTop ?? 0; // px that are scrolled away
  applied = -1; // the scroll position as it was set or reported last
  height = 0;
  row = 24; // px
  shifted = this.props.tab.log.shifted;
  newest = Infinity; // the id of the newest row drawn
  // What was brought into sight last: this row, in this filling of the view.
  chosen = null;
  version = -1;

  componentDidMount() {
    const { grid } = this;
    this.observer = new ResizeObserver(() => {
      // A chosen row that was in sight stays there.
      const { log } = this.props.tab;
      if (this.chosen && (log.indexOf(this.chosen) + 1) * this.row <= this.top + this.height) this.chosen = null;
      this.height = grid.clientHeight;
      this.row = Number.parseFloat(getComputedStyle(grid).getPropertyValue("--row"));
      grid.closest(".log").style.setProperty("--scrollbar", `${grid.offsetWidth - grid.clientWidth}px`);
      changed();
    });
    this.observer.observe(grid);
  }
  componentWillUnmount() {
    this.observer.disconnect();
    this.props.tab.scrollTop = this.top;
  }
  componentDidUpdate() {
    if (this.top !== this.applied) this.grid.scrollTop = this.applied = this.top;
  }

  /** Finds the scroll position of this frame. */
  place(tab) {
    const { log, selected } = tab;
    const { row, height } = this;
    const most = Math.max(0, log.length * row - height);
    // Rows that the cap took from the front would make what is being read slide away.
    this.top -= (log.shifted - this.shifted) * row;
    this.shifted = log.shifted;
    if (selected && height && (selected !== this.chosen || log.version !== this.version)) {
      const index = log.indexOf(selected);
      if (index >= 0) this.top = Math.max(Math.min(this.top, index * row), (index + 1) * row - height);
      this.version = log.version;
    }
    this.chosen = selected;
    this.top = tab.following ? most : Math.max(0, Math.min(this.top, most));
    if (!tab.following && height && this.top === most) tab.scrolled(true);
  }

  choose(row) {
    app.inspector = "message";
    this.props.tab.select(row);
  }

  scroll = () => {
    const { grid, row } = this;
    if (Math.abs(grid.scrollTop - this.applied) < 2) return; // this list's own doing
    const { tab } = this.props;
    this.top = this.applied = grid.scrollTop;
    tab.scrolled(this.top >= tab.log.length * row - grid.clientHeight - row / 2);
    changed();
  };

  key = (event) => {
    const { tab } = this.props;
    const { log, selected } = tab;
    const { key } = event;
    const last = log.length - 1;
    const now = selected ? log.indexOf(selected) : -1;
    const page = Math.floor(this.height / this.row) - 1;
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -log.length }[key];
    if (event.ctrlKey || event.metaKey) {
      if (key === "f") this.props.onFind();
      else if (key === "c" && getSelection().isCollapsed) copyText(selected ? jsonLine(selected) : allLines(log)).then(said);
      else return;
    } else if (key === "End") tab.follow();
    else if (key === "Enter") inspect();
    else if (step && last >= 0) this.choose(log.at(now < 0 && key !== "Home" ? last : Math.max(0, Math.min(now + step, last))));
    else if (key === "ArrowLeft" || key === "ArrowRight") log.indexOf(selected?.pair ?? {}) >= 0 && this.choose(selected.pair);
    else return;
    event.preventDefault();
  };

  click = (event) => {
    const id = Number(event.target.closest(".row")?.dataset.id);
    if (!id || !getSelection().isCollapsed) return;
    this.choose(this.rows.find((row) => row.id === id));
    app.sheet ||= narrow();
  };

  render({ tab }) {
    this.place(tab);
    const { log, selected } = tab;
    const server = showsView(tab);
    // A list that follows is not scrolled upwards without a frame between.
    const first = Math.max(0, Math.floor(this.top / this.row) - (tab.following ? 1 : MARGIN));
    const end = Math.min(log.length, Math.ceil((this.top + this.height) / this.row) + MARGIN);
    const rows = (this.rows = []);
    for (let i = first; i < end; i++) rows.push(log.at(i));
    const fresh = rows.filter((row) => row.id > this.newest).length <= FRESH ? this.newest : Infinity;
    this.newest = rows.reduce((id, row) => Math.max(id, row.id), 0);
    // Rows have no keys: an element is used again for the row that takes its place, which costs half of making one.
    return html`<div id="log-grid" ref=${(element) => (this.grid = element)} class="grid" role="grid" tabindex="0" data-pane aria-label=${t("log")} aria-rowcount=${log.length + 1}
      aria-owns=${narrow() ? null : "log-heads"} aria-activedescendant=${rows.includes(selected) ? `row-${selected.id}` : null} onScroll=${this.scroll} onKeyDown=${this.key} onClick=${this.click}>
      <div class="sizer" role="presentation" style=${{ height: `${log.length * this.row}px` }}>
        <div role="presentation" style=${{ marginTop: `${first * this.row}px` }}>
          ${rows.map((row, i) => {
            const divides = row.kind === "opened" || row.kind === "ended";
            return html`<div role="row" id=${`row-${row.id}`} data-id=${row.id} data-kind=${row.kind} aria-rowindex=${first + i + 2} aria-selected=${row === selected}
              class=${classes("row", divides && "divides", selected && row.pair === selected && "pair", row.id > fresh && "fresh")}>${divides ? divider(row) : cells(row, server)}</div>`;
          })}
        </div>
      </div>
    </div>`;
  }
}

function said(done) {
  app.said = t(done ? "copied" : "notCopied");
  changed();
}

/** All rows shown, as JSON Lines. */
export function allLines(log) {
  let text = "";
  for (let i = 0; i < log.length; i++) text += `${jsonLine(log.at(i))}\n`;
  return text;
}

/** Moves the focus to the inspector, which is opened if it has no place beside the log. */
function inspect() {
  app.sheet ||= !wide();
  changed();
  requestAnimationFrame(() => document.querySelector(".inspector [role=tab][aria-selected=true]")?.focus());
}

// The log's view: a grid of which only the rows in sight are in the document. Every row is as high as every other, so
// a row's place is its index times that, and 100,000 rows cost what forty cost.
import { bytes, clock, hexLine, millis, oneLine } from "../shared/format.js";
import { onLanguage, t } from "./i18n.js";

const ROW = 24; // px, as in console.css
const MARGIN = 8; // rows kept ready above and below the view

const ARROWS = { open: "◇", sent: "→", received: "←", error: "✕", close: "◆", frame: "·" };

const content = (row) => {
  const said = row.data === null ? "" : typeof row.data === "string" ? oneLine(row.data) : hexLine(row.data);
  const note = row.note ? t(row.note.key, row.note.vars) : "";
  return note && said ? `${note} · ${said}` : note || said;
};

/** What the server says of a message or a control frame, in a few words. */
function seen({ server }) {
  if (!server) return "";
  const { name, frames = 1, length, inflated, masked, compressed, at } = server;
  const size = compressed ? `${length}→${inflated} B` : `${length} B`;
  return [clock(at), name, size, frames > 1 && `${frames} ×`, masked && "mask"].filter(Boolean).join(" ");
}

// One entry a column.
const COLUMNS = [
  { name: "time", head: "colTime", text: (row) => clock(row.at) },
  { name: "arrow", head: null, text: (row) => ARROWS[row.kind] },
  { name: "kind", head: "colKind", text: (row) => t(`kind.${row.kind}`) },
  { name: "type", head: "colType", text: (row) => (row.type ? t(`type.${row.type}`) : "") },
  { name: "size", head: "colSize", text: (row) => (row.data === null ? "" : bytes(row.size)) },
  { name: "rtt", head: "colRtt", text: (row) => (row.rtt === null ? "" : millis(row.rtt)) },
  { name: "server", head: "colServer", text: seen },
  { name: "content", head: "colContent", text: content },
];

export class LogList {
  #pool = [];
  #scheduled = false;
  #seenShift = 0;
  #selected = null;
  #follow = true;
  columns = { server: false };

  /** `onSelect(row | null)`, `onFollow(following, missed)`. */
  constructor(root, log, { onSelect = () => {}, onFollow = () => {} } = {}) {
    this.log = log;
    this.onSelect = onSelect;
    this.onFollow = onFollow;
    root.className = "grid";
    root.setAttribute("role", "grid");
    root.setAttribute("aria-colcount", COLUMNS.length);
    this.root = root;

    this.head = document.createElement("div");
    this.head.className = "grid-row grid-head";
    this.head.setAttribute("role", "row");
    this.head.setAttribute("aria-rowindex", "1");
    for (const column of COLUMNS) this.head.append(cell(column.name, "columnheader"));

    this.body = document.createElement("div");
    this.body.className = "grid-body";
    this.body.tabIndex = 0;
    this.body.setAttribute("role", "rowgroup");
    this.sizer = document.createElement("div");
    this.sizer.className = "grid-sizer";
    this.sizer.setAttribute("role", "presentation");
    this.empty = document.createElement("p");
    this.empty.className = "grid-empty";
    this.body.append(this.sizer, this.empty);
    root.append(this.head, this.body);

    this.body.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest(".grid-row");
      if (line) this.select(Number(line.dataset.index));
    });
    this.body.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => this.refresh()).observe(this.body);
    onLanguage(() => this.#label());
    this.#label();
  }

  #label() {
    this.root.setAttribute("aria-label", t("log"));
    this.empty.textContent = t("logEmpty");
    COLUMNS.forEach((column, i) => (this.head.children[i].textContent = column.head ? t(column.head) : ""));
    this.refresh();
  }

  refresh() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render();
    });
  }

  get following() {
    return this.#follow;
  }

  follow() {
    this.#follow = true;
    this.refresh();
  }

  unselect() {
    this.#selected = null;
    this.onSelect(null);
    this.refresh();
    this.body.focus();
  }

  /** Called when the log's filter or content was replaced as a whole. */
  reset() {
    this.#seenShift = this.log.shifted;
    this.#selected = null;
    this.onSelect(null);
    this.#follow = true;
    this.refresh();
  }

  select(index) {
    if (index < 0 || index >= this.log.length) return;
    const row = this.log.at(index);
    this.#selected = row;
    if (index < this.log.length - 1) this.#follow = false;
    const top = index * ROW;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + ROW > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + ROW - this.body.clientHeight;
    this.onSelect(row);
    this.refresh();
  }

  #indexOfSelected() {
    if (!this.#selected) return -1;
    // Rows keep their order, so the one with this id is found by halving.
    let low = 0;
    let high = this.log.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const id = this.log.at(middle).id;
      if (id === this.#selected.id) return middle;
      if (id < this.#selected.id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #onScroll() {
    const end = this.body.scrollHeight - this.body.clientHeight;
    this.#follow = this.body.scrollTop >= end - ROW / 2;
    this.refresh();
  }

  #onKey(event) {
    const page = Math.max(1, Math.floor(this.body.clientHeight / ROW) - 1);
    const last = this.log.length - 1;
    const now = this.#indexOfSelected();
    const steps = { ArrowDown: now + 1, ArrowUp: now < 0 ? last : now - 1, PageDown: now + page, PageUp: now - page, Home: 0, End: last };
    if (event.key === "Escape" && this.#selected) {
      this.unselect();
    } else if (event.key in steps && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.select(Math.min(last, Math.max(0, steps[event.key])));
      if (event.key === "End") this.follow();
    }
  }

  #render() {
    const { log, body } = this;
    this.root.classList.toggle("with-server", this.columns.server);
    const height = log.length * ROW;
    this.empty.hidden = log.length > 0;
    this.sizer.style.height = `${height}px`;
    this.root.setAttribute("aria-rowcount", log.length + 1);

    // Rows that the cap took from the front would make what is being read slide away.
    const shifted = log.shifted - this.#seenShift;
    this.#seenShift = log.shifted;
    if (this.#follow) body.scrollTop = height;
    else if (shifted) body.scrollTop = Math.max(0, body.scrollTop - shifted * ROW);

    const first = Math.max(0, Math.floor(body.scrollTop / ROW) - MARGIN);
    const count = Math.min(log.length - first, Math.ceil(body.clientHeight / ROW) + 2 * MARGIN);
    while (this.#pool.length < count) {
      const line = blank();
      this.#pool.push(line);
      this.sizer.append(line);
    }
    while (this.#pool.length > count) this.#pool.pop().remove();
    let active = "";
    for (let i = 0; i < count; i++) {
      const line = this.#pool[i];
      const row = log.at(first + i);
      line.style.transform = `translateY(${(first + i) * ROW}px)`;
      line.dataset.index = first + i;
      line.dataset.kind = row.kind;
      line.id = `row-${i}`;
      line.setAttribute("aria-rowindex", first + i + 2);
      const selected = row === this.#selected;
      line.setAttribute("aria-selected", selected);
      if (selected) active = line.id;
      COLUMNS.forEach((column, c) => {
        const text = column.text(row);
        const box = line.children[c];
        if (box.textContent !== text) box.textContent = text;
      });
    }
    if (active) body.setAttribute("aria-activedescendant", active);
    else body.removeAttribute("aria-activedescendant");
    this.onFollow(this.#follow);
  }
}

function cell(name, role) {
  const box = document.createElement("div");
  box.className = `c-${name}`;
  box.setAttribute("role", role);
  return box;
}

function blank() {
  const line = document.createElement("div");
  line.className = "grid-row";
  line.setAttribute("role", "row");
  for (const column of COLUMNS) line.append(cell(column.name, "gridcell"));
  return line;
}

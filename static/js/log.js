// What happened, row by row, with a cap that is kept. Pure: no document, no clock.
//
// A row: { id, at, kind, type, size, rtt, data, stamp, note }
//   at    milliseconds since the epoch, with fraction          kind  open sent received error close
//   data  a string, a Uint8Array or null (what was said)       note  { key, vars }: words of the page's own

export const MAX_ROWS = 100_000;
export const MAX_BYTES = 64 * 1024 * 1024;
const ROW_COST = 160; // what a row weighs besides its content, roughly

/** An array that forgets its front cheaply. */
class Line {
  #items = [];
  #first = 0;
  get length() {
    return this.#items.length - this.#first;
  }
  at(index) {
    return this.#items[this.#first + index];
  }
  push(item) {
    this.#items.push(item);
  }
  shift() {
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first > 4096 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
  clear() {
    this.#items = [];
    this.#first = 0;
  }
}

const cost = (row) => ROW_COST + (row.data === null ? 0 : typeof row.data === "string" ? row.data.length * 2 : row.data.length);

export class Log {
  #all = new Line();
  #view = new Line();
  #accepts = null;
  #next = 1;
  bytes = 0;
  dropped = 0; // rows that the cap has pushed out
  frozen = false; // paused: rows are kept, the view stays as it is
  missed = 0; // rows that came meanwhile
  shifted = 0; // rows that have left the front of the view, ever: what a scrolled list must make up for

  constructor({ maxRows = MAX_ROWS, maxBytes = MAX_BYTES } = {}) {
    this.maxRows = maxRows;
    this.maxBytes = maxBytes;
  }

  get total() {
    return this.#all.length;
  }
  get length() {
    return this.#view.length;
  }
  get filtered() {
    return this.#accepts !== null;
  }
  /** The index-th row that the filter lets through. */
  at(index) {
    return this.#view.at(index);
  }

  add(row) {
    row.id = this.#next++;
    this.#all.push(row);
    this.bytes += cost(row);
    if (this.frozen) this.missed++;
    else if (!this.#accepts || this.#accepts(row)) this.#view.push(row);
    while (this.#all.length > this.maxRows || (this.bytes > this.maxBytes && this.#all.length > 1)) {
      const old = this.#all.shift();
      this.bytes -= cost(old);
      this.dropped++;
      if (this.#view.length && this.#view.at(0).id === old.id) {
        this.#view.shift();
        this.shifted++;
      }
    }
    return row;
  }

  /** `accepts(row)` or null for every row. */
  filter(accepts) {
    this.#accepts = accepts;
    this.#view.clear();
    for (let i = 0; i < this.#all.length; i++) {
      const row = this.#all.at(i);
      if (!accepts || accepts(row)) this.#view.push(row);
    }
  }

  freeze(frozen) {
    this.frozen = frozen;
    this.missed = 0;
    if (!frozen) this.filter(this.#accepts);
  }

  clear() {
    this.#all.clear();
    this.#view.clear();
    this.missed = 0;
    this.bytes = 0;
    this.dropped = 0;
  }
}

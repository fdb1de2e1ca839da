// What happened, row by row, with a cap that is kept. Pure: no document, no clock.
//
// A row:
//   id    its number, in the order of adding
//   at    milliseconds since the epoch, with fraction; rows are in the order of at, then of id
//   kind  sent | received | control | close | error | opened | ended | retries
//   type  text | binary | ""          size  payload bytes
//   data  a string, a Uint8Array or null
//   rtt   round trip in ms or null    stamp the server's milliseconds or null
//   pair  the row of the other half of an exchange, or null
//   beat  true for a heartbeat: shown in the heartbeat row, and as a row only while that is open
//   note  null or { key, vars }: a text of the page's own
//   server null, or what the watch saw of the message or control frame: its frames

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
  /** Puts an item before the index-th. */
  insert(index, item) {
    this.#items.splice(this.#first + index, 0, item);
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

function place(line, row) {
  let index = line.length;
  while (index > 0 && line.at(index - 1).at > row.at) index--;
  if (index === line.length) line.push(row);
  else line.insert(index, row);
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

  /** Adds a row in the order of time: at the end, unless it is told of later than it happened. */
  add(row) {
    row.id = this.#next++;
    place(this.#all, row);
    this.bytes += cost(row);
    if (this.frozen) this.missed++;
    else if (!this.#accepts || this.#accepts(row)) place(this.#view, row);
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

  /** The place of a row in the view, or -1. */
  indexOf(row) {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const other = this.at(middle);
      if (other === row) return middle;
      if (other.at < row.at || (other.at === row.at && other.id < row.id)) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
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

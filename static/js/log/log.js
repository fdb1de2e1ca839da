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

/** A row with these fields. */
export const newRow = (fields) => ({ at: 0, kind: "", type: "", size: 0, rtt: null, stamp: null, data: null, note: null, server: null, pair: null, beat: false, ...fields });

/** Rows in the order of time; its front is forgotten cheaply. */
class Line {
  #rows = [];
  #first = 0;
  get length() {
    return this.#rows.length - this.#first;
  }
  at(index) {
    return this.#rows[this.#first + index];
  }
  /** Adds a row: at the end, unless it is told of later than it happened. */
  add(row) {
    let index = this.#rows.length;
    while (index > this.#first && this.#rows[index - 1].at > row.at) index--;
    if (index === this.#rows.length) this.#rows.push(row);
    else this.#rows.splice(index, 0, row);
  }
  shift() {
    const row = this.#rows[this.#first];
    this.#rows[this.#first++] = undefined;
    if (this.#first > 4096 && this.#first * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#first);
      this.#first = 0;
    }
    return row;
  }
  all() {
    return this.#rows.slice(this.#first);
  }
  /** The place of a row, or -1. */
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
}

const cost = (row) => ROW_COST + (row.data === null ? 0 : typeof row.data === "string" ? row.data.length * 2 : row.data.length);

export class Log {
  #all = new Line();
  #view = new Line();
  #accepts = null;
  #next = 1;
  #frozenAt = 0;
  bytes = 0;
  beats = 0; // rows that are heartbeats
  dropped = 0; // rows that the cap has pushed out
  frozen = false; // paused: rows are kept, the view stays as it is
  missed = 0; // rows that came meanwhile, heartbeats aside
  placed = 0; // rows that have been added to the view, ever, heartbeats aside
  shifted = 0; // rows that have left the front of the view, ever: a scrolled list makes up for them
  version = 0; // the number of times that the view was filled anew

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
  /** The index-th row of the view. */
  at(index) {
    return this.#view.at(index);
  }
  /** The place of a row in the view, or -1. */
  indexOf(row) {
    return this.#view.indexOf(row);
  }

  add(row) {
    row.id = this.#next++;
    this.#all.add(row);
    this.bytes += cost(row);
    if (row.beat) this.beats++;
    if (this.frozen) this.missed += row.beat ? 0 : 1;
    else if (!this.#accepts || this.#accepts(row)) this.show(row);
    while (this.#all.length > this.maxRows || (this.bytes > this.maxBytes && this.#all.length > 1)) {
      const old = this.#all.shift();
      this.bytes -= cost(old);
      this.dropped++;
      if (old.beat) this.beats--;
      if (this.#view.at(0) === old) {
        this.#view.shift();
        this.shifted++;
      }
    }
    return row;
  }

  /** Adds a row of the log to the view, if the log still has it. */
  show(row) {
    if (this.#all.indexOf(row) < 0) return;
    this.#view.add(row);
    if (!row.beat) this.placed++;
  }

  /** The rows that the view may show: all, or those from before the pause. */
  rows() {
    const rows = this.#all.all();
    return this.frozen ? rows.filter((row) => row.id < this.#frozenAt) : rows;
  }

  /** Names what decides whether a new row is shown: `accepts(row)`, or null for every row. */
  accept(accepts) {
    this.#accepts = accepts;
  }

  /** Fills the view with these rows of the log, in its order. */
  fill(rows) {
    this.#view = new Line();
    this.version++;
    // The cap takes rows from the front: once one is still there, all after it are.
    let first = 0;
    while (first < rows.length && this.#all.indexOf(rows[first]) < 0) first++;
    for (; first < rows.length; first++) this.#view.add(rows[first]);
  }

  filter(accepts) {
    this.accept(accepts);
    this.fill(accepts ? this.rows().filter(accepts) : this.rows());
  }

  /** Keeps the view as it is, or ends that: the view is to be filled again then. */
  freeze(frozen) {
    this.frozen = frozen;
    this.#frozenAt = this.#next;
    this.missed = 0;
  }

  clear() {
    this.#all = new Line();
    this.#view = new Line();
    this.bytes = this.beats = this.missed = this.dropped = 0;
  }
}

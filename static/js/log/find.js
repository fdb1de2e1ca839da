// Which rows the log shows. Events and types are decided at once; a text is looked for in slices, and a regular
// expression in a worker with a deadline, so that neither can stop the page. Touches no document.

const FLAGS = "iu";
const DEADLINE = 200; // ms for one slice in the worker
const SLICE_ROWS = 4096;
const SLICE_TEXT = 65536; // characters; also the most of one message that is looked at
const BUSY = 8; // ms of looking for a text between two pauses: half a frame

// One worker for the page, made when it is needed. `last` ends when its slice has: it has one at a time.
let worker = null;
let last = Promise.resolve();

function start() {
  worker = new Promise((resolve, reject) => {
    const made = new Worker(new URL("find-worker.js", import.meta.url), { type: "module" });
    made.onmessage = () => resolve(made);
    made.onerror = reject;
  });
  worker.catch(() => (worker = null));
  return worker;
}

/** Resolves to [true or false for each text], or to the key of an error. */
async function inWorker(source, texts) {
  let made;
  try {
    made = await (worker ?? start());
  } catch {
    return "find.noWorker";
  }
  return new Promise((resolve) => {
    const stop = () => {
      made.terminate();
      start();
      resolve("find.slow");
    };
    // A page that was busy itself gets a result that has come meanwhile before it stops the worker.
    let timer = setTimeout(() => (timer = setTimeout(stop)), DEADLINE);
    made.onmessage = ({ data }) => {
      clearTimeout(timer);
      resolve(data);
    };
    made.postMessage({ source, flags: FLAGS, texts });
  });
}

const expressionFinder = (source) => (texts) => (last = last.then(() => inWorker(source, texts)));

function textFinder(text) {
  const wanted = text.toLowerCase();
  let since = performance.now();
  return async (texts) => {
    if (performance.now() - since > BUSY) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    return texts.map((one) => one.toLowerCase().includes(wanted));
  };
}

/** Why a browser does not take the expression, in its words; "" if it does. */
function wrong(source) {
  try {
    new RegExp(source, FLAGS);
    return "";
  } catch (error) {
    return error.message.replace(/^.*\/\w*: /s, "");
  }
}

const set = (words) => (words ? new Set(words.split(" ")) : null);

/** The filter of one log. */
export class Finder {
  busy = false; // looking through the rows that are there
  error = null; // { key, vars }: why the text does not filter
  #log;
  #textOf;
  #changed;
  #run = 0;
  #wake = () => {};

  /** `textOf(row)`: the text to look in. `changed()` is called after a change that came later than its cause. */
  constructor(log, textOf, changed) {
    this.#log = log;
    this.#textOf = textOf;
    this.#changed = changed;
  }

  /** Shows the rows with this text, of these events and types; heartbeats only with `beats`. The view stays as it was until then. */
  async apply({ text, regex, kinds, types }, beats) {
    const run = ++this.#run;
    this.#wake();
    this.busy = false;
    this.error = null;
    const [ofKind, ofType] = [set(kinds), set(types)];
    const base = (row) => (beats || !row.beat) && (!ofKind || ofKind.has(row.kind)) && (!ofType || ofType.has(row.type));
    const why = regex && text ? wrong(text) : "";
    if (why) this.error = { key: "find.bad", vars: { why } };
    if (why || !text) return this.#log.filter(base);

    const find = regex ? expressionFinder(text) : textFinder(text);
    const came = [];
    this.#log.accept((row) => {
      if (base(row) && came.push(row) === 1) this.#wake();
      return false;
    });
    this.busy = true;
    const there = this.#log.rows().filter(base);
    const found = [];
    while (there.length > 0 || this.busy) {
      const hits = await this.#slice(find, there);
      if (run !== this.#run) return;
      if (!hits) return this.#giveUp(base);
      found.push(...hits);
      if (there.length > 0) continue;
      this.busy = false;
      this.#log.fill(found);
      this.#changed();
    }
    for (;;) {
      if (came.length === 0) await new Promise((resolve) => (this.#wake = resolve));
      const hits = run === this.#run && (await this.#slice(find, came));
      if (run !== this.#run) return;
      if (!hits) return this.#giveUp(base);
      for (const row of hits) this.#log.show(row);
      this.#changed();
    }
  }

  /** Takes a slice off `rows` and resolves to those of it that match, or to null after an error. */
  async #slice(find, rows) {
    const texts = [];
    for (let size = 0; texts.length < rows.length && texts.length < SLICE_ROWS && size < SLICE_TEXT; ) {
      const text = this.#textOf(rows[texts.length]).slice(0, SLICE_TEXT);
      texts.push(text);
      size += text.length;
    }
    const slice = rows.splice(0, texts.length);
    const hits = await find(texts);
    if (typeof hits !== "string") return slice.filter((_, i) => hits[i]);
    this.error = { key: hits };
    return null;
  }

  #giveUp(base) {
    this.busy = false;
    this.#log.filter(base);
    this.#changed();
  }
}

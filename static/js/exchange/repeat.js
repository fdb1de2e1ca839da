// One message, sent again and again. Touches no document.

const AHEAD = 1 << 20; // bytes that may wait in the browser before the repetition waits itself
const AT_ONCE = 1000; // messages in one go

export class Repeat {
  every = 100; // ms between two, 0: as fast as the network takes them
  times = 100;
  left = 0; // messages to go; 0: not running
  #timer = 0;
  #connection;
  #changed;

  /** `connection`: { send(data), bufferedAmount }. */
  constructor(connection, changed) {
    this.#connection = connection;
    this.#changed = changed;
  }

  start(data) {
    const { every } = this;
    const began = performance.now();
    let done = 0;
    this.left = this.times;
    const step = () => {
      // By the clock, not by the timer: what a late timer missed is made up for.
      const due = every ? Math.floor((performance.now() - began) / every) + 1 - done : AT_ONCE;
      for (let i = 0; i < Math.min(due, AT_ONCE) && this.left && this.#connection.bufferedAmount < AHEAD; i++) {
        if (!this.#connection.send(data)) return this.stop();
        done++;
        this.left--;
      }
      this.#changed();
      if (this.left) this.#timer = setTimeout(step, every ? Math.max(0, began + done * every - performance.now()) : 0);
    };
    step();
  }

  stop() {
    clearTimeout(this.#timer);
    this.left = 0;
    this.#changed();
  }
}

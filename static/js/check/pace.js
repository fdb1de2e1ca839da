// Whether messages that were sent at an interval arrive one by one, or in lumps, by the rules of src/check/pace.rs. Pure.

const FEWEST = 5; // messages below which nothing is judged
const LEAST_LATE = 30; // ms: a busy machine is as late

/** The milliseconds since 1970 that ws-echo sends as digits, or null. */
export const milliseconds = (text) => (typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : null);

/** The times of messages in ms. The clocks of the two ends need not agree: only differences count. */
export class Pace {
  sent = [];
  arrived = [];
  /** Adds a message, in the order of arrival. */
  add(sent, arrived) {
    this.sent.push(sent);
    this.arrived.push(arrived);
  }
  get count() {
    return this.sent.length;
  }
  #travelled() {
    return this.arrived.map((at, i) => at - this.sent[i]);
  }
  /** How much later than the fastest message the slowest one came. */
  get mostLate() {
    const travelled = this.#travelled();
    return this.count ? Math.max(...travelled) - Math.min(...travelled) : 0;
  }
  /** Messages that were sent apart and arrived together with the one before. */
  get joined() {
    return this.sent.filter((sent, i) => i > 0 && this.arrived[i] - this.arrived[i - 1] < (sent - this.sent[i - 1]) / 4).length;
  }
  get groups() {
    return this.count - this.joined;
  }
  get inLumps() {
    return this.count >= FEWEST && this.joined * 5 >= this.count * 2 && this.mostLate >= LEAST_LATE;
  }
  /** Both times on one scale from 0, as if the fastest message took no time. */
  get drawn() {
    const fastest = Math.min(...this.#travelled());
    return { sent: this.sent.map((at) => at - this.sent[0]), came: this.arrived.map((at) => at - fastest - this.sent[0]) };
  }
}

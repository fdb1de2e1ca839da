// How far the server's clock is from the browser's, from stamps alone. Pure.
//
// A reply stamped s was made between the moment its message left (t0) and the moment it came back (t3), so the offset
// lies between s - t3 and s + 1 - t0 (the stamp is a whole millisecond, its fraction cut off). As in NTP the middle is
// the estimate and the half width its uncertainty; every round trip narrows it, the quickest most of all.

const KEPT = 192; // with the server's view there are three of a round trip

export class ClockOffset {
  #bounds = [];

  /** A server's time that lies between two of the browser's, of which one can be unknown: -Infinity or Infinity. */
  add(sentAt, receivedAt, stamp) {
    this.#bounds.push([stamp - receivedAt, stamp + 1 - sentAt]);
    if (this.#bounds.length > KEPT) this.#bounds.shift();
  }

  /** { offset, uncertainty, samples } in ms, positive when the server is ahead; null without a sample. */
  estimate() {
    let low = -Infinity;
    let high = Infinity;
    let samples = 0;
    // From the newest back: when the clocks have been set anew, older bounds contradict and are left out.
    for (let i = this.#bounds.length - 1; i >= 0; i--) {
      const [from, to] = this.#bounds[i];
      if (Math.max(low, from) > Math.min(high, to)) break;
      low = Math.max(low, from);
      high = Math.min(high, to);
      samples++;
    }
    return high - low < Infinity ? { offset: (low + high) / 2, uncertainty: (high - low) / 2, samples } : null;
  }

  clear() {
    this.#bounds = [];
  }
}

// The round trips of one connection, and the offset between the server's clock and this browser's. Pure.
import { ClockOffset } from "./clock.js";

const KEPT = 10_000; // round trips that the figures are made of

export class Timing {
  trips = []; // { at (epoch ms), rtt (ms) }, the newest last
  measured = 0;
  clock = new ClockOffset();

  add({ at, rtt }) {
    this.measured++;
    this.trips.push({ at, rtt });
    if (this.trips.length > KEPT * 1.5) this.trips = this.trips.slice(-KEPT);
  }
  stamp(sentAt, receivedAt, stamp) {
    this.clock.add(sentAt, receivedAt, stamp);
  }
  clear() {
    this.trips = [];
    this.measured = 0;
    this.clock.clear();
  }
}

// The heartbeat: the time, sent every 2 seconds, as the tutorial's page did. Its replies have one row of their own, at
// the head of the log.
import { store } from "../shared/browser.js";
import { changed } from "../state.js";

const EVERY = 2000; // ms
const TRIPS = 14; // round trips in the sparkline
const KEPT = "ws-echo.heartbeat";

export class Heartbeat {
  on = store.get(KEPT) !== "off"; // the switch; kept
  expanded = store.get(`${KEPT}.rows`) === "shown"; // its messages stand in the log as rows; kept
  off = 0; // epoch ms of the moment it was switched off, 0 before
  count = 0; // beats of this connection
  last = null; // the row of the last reply
  trips = []; // the last round trips in ms, null for a beat without a reply
  #timer = 0;
  #unanswered = null;
  #tab;

  constructor(tab) {
    this.#tab = tab;
  }

  /** The connection is open: beats now and every 2 s, if it is switched on. */
  start() {
    this.count = 0;
    this.trips = [];
    this.#unanswered = null;
    this.#run();
  }
  stop() {
    clearInterval(this.#timer);
  }
  switch(on) {
    this.on = on;
    this.off = on ? 0 : Date.now();
    store.set(KEPT, on ? "on" : "off");
    this.#run();
    changed();
  }
  expand(expanded) {
    this.expanded = expanded;
    store.set(`${KEPT}.rows`, expanded ? "shown" : "folded");
    this.#tab.applyFilter();
    changed();
  }

  #run() {
    this.stop();
    if (!this.on || !this.#tab.open) return;
    const beat = () => this.#tab.send(String(Date.now()), true);
    beat();
    this.#timer = setInterval(beat, EVERY);
  }
  #trip(ms) {
    this.trips.push(ms);
    if (this.trips.length > TRIPS) this.trips.shift();
  }

  sent(row) {
    if (this.#unanswered) this.#trip(null);
    this.#unanswered = row;
    this.count++;
  }
  received(row) {
    if (this.#unanswered === row.pair) {
      this.#trip(row.rtt);
      this.#unanswered = null;
    }
    this.last = row;
  }
}

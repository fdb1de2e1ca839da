// The URLs of earlier connections, each with how it ended; kept in the browser.
import { store } from "../shared/browser.js";

const KEPT = "ws-echo.history";
const MOST = 20;

const valid = (value) => Array.isArray(value) && value.every((one) => typeof one?.url === "string" && typeof one.end === "string");

/** [{ url, end }], the newest first. `end` is "open", "refused", "gone" or a close code. */
export let history = store.json(KEPT, valid, []);

export function remember(url, end) {
  history = [{ url, end }, ...history.filter((one) => one.url !== url)].slice(0, MOST);
  store.set(KEPT, JSON.stringify(history));
}

export function clearHistory() {
  history = [];
  store.set(KEPT, "[]");
}

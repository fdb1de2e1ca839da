// The views: what is drawn when the state changes, and the page's own address and title.
import { fromHash, ownUrl, toHash } from "../connection/url.js";
import { restoreSizes } from "../shared/divider.js";
import { html, render } from "../shared/html.js";
import { loadOtherLanguage, t } from "../shared/i18n.js";
import { fetchAll } from "../shared/lazy.js";
import { act, app, changed, drawWith } from "../state.js";
import { App } from "./app.js";
import { startKeyboard } from "./keyboard.js";
import { startTexts } from "./texts.js";

const own = ownUrl(document.baseURI);

let known = location.hash; // as it was read or written last

/** Follows the page's address where a link or the user has changed it. */
function readAddress() {
  if (location.hash === known) return;
  known = location.hash;
  const { view, url, protocols } = fromHash(known, own);
  app.view = view;
  // A link to another connection: it is filled in and waits for a button.
  if (known.includes("?") || !app.tab.used) Object.assign(app.tab, { url, protocols });
}

/** Keeps the page's address at the view and the connection in use, so that a reload and a copied link restore both. */
function writeAddress() {
  const { url, protocols } = app.tab.used ?? app.tab;
  const hash = toHash({ view: app.view, url, protocols, own });
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
  known = location.hash;
}

addEventListener("hashchange", act(readAddress));
addEventListener("resize", () => {
  app.width = innerWidth;
  changed();
});
restoreSizes();
startKeyboard();

const root = document.querySelector("#app");
function draw() {
  // The event of a change comes later than the change.
  readAddress();
  writeAddress();
  document.title = app.tab.word === "open" ? "ws-echo" : `${t(`state.${app.tab.word}`)}: ws-echo`;
  render(html`<${App} />`, root);
}
// With time alone the page changes only in its figures of seconds: once a second suffices.
setInterval(changed, 1000);

/** The server's list of query keys. Without it the page has its own. */
async function fetchKeys() {
  const response = await fetch("behaviours.json");
  const keys = response.ok ? await response.json() : null;
  app.keys = Array.isArray(keys?.keys) ? keys : null;
  changed();
}

// What the first echo does not need comes after it, so that no server that goes away can take it along.
startTexts().then(() => {
  drawWith(draw);
  setTimeout(() => {
    fetchAll();
    fetchKeys().catch(() => {});
    loadOtherLanguage().catch(() => {});
  }, 300);
});

// The views: texts, what is drawn when the state changes, and the page's own address and title.
import calloutStrings from "../connection/callouts.js";
import connectionStrings from "../connection/strings.js";
import { fromHash, ownUrl, toHash } from "../connection/url.js";
import exchangeStrings from "../exchange/strings.js";
import logStrings from "../log/strings.js";
import { restoreSizes } from "../shared/divider.js";
import { html, render } from "../shared/html.js";
import { addStrings, t } from "../shared/i18n.js";
import { fetchAll } from "../shared/lazy.js";
import sharedStrings from "../shared/strings.js";
import { app, changed, drawWith } from "../state.js";
import { App } from "./app.js";
import { startKeyboard } from "./keyboard.js";
import shellStrings from "./strings.js";

for (const strings of [sharedStrings, shellStrings, connectionStrings, calloutStrings, exchangeStrings, logStrings]) addStrings(strings);

const own = ownUrl(document.baseURI);

/** Keeps the page's address at the view and the connection in use, so that a reload and a copied link restore both. */
function writeAddress() {
  const { url, protocols } = app.tab.used ?? app.tab;
  const hash = toHash({ view: app.view, url, protocols, own });
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

addEventListener("hashchange", () => {
  const { view, url, protocols } = fromHash(location.hash, own);
  app.view = view;
  // A link to another connection: it is filled in and waits for a button.
  if (location.hash.includes("?") || !app.tab.used) Object.assign(app.tab, { url, protocols });
  changed();
});
addEventListener("resize", () => {
  app.width = innerWidth;
  changed();
});
restoreSizes();
startKeyboard();

const root = document.querySelector("#app");
drawWith(() => {
  writeAddress();
  document.title = app.tab.word === "open" ? "ws-echo" : `${t(`state.${app.tab.word}`)}: ws-echo`;
  render(html`<${App} />`, root);
});
// With time alone the page changes only in its figures of seconds: once a second suffices.
setInterval(changed, 1000);

// What the first echo does not need comes after it, so that no server that goes away can take it along.
setTimeout(fetchAll, 300);

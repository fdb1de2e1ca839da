// Starts the page: language and theme, the first connection, which is made at once, then the views.
import connectionStrings from "./connection/strings.js";
import { Tab } from "./connection/tab.js";
import { fromHash, ownUrl, toHash } from "./connection/url.js";
import drawerStrings from "./drawer/strings.js";
import exchangeStrings from "./exchange/strings.js";
import logStrings from "./log/strings.js";
import { restoreSizes } from "./shared/divider.js";
import { html, render } from "./shared/html.js";
import { addStrings, startLanguage, t } from "./shared/i18n.js";
import sharedStrings from "./shared/strings.js";
import { App } from "./shell/app.js";
import { startKeyboard } from "./shell/keyboard.js";
import shellStrings from "./shell/strings.js";
import { startTheme } from "./shell/theme.js";
import { app, changed, drawWith } from "./state.js";

for (const strings of [sharedStrings, shellStrings, connectionStrings, drawerStrings, exchangeStrings, logStrings]) addStrings(strings);

const own = ownUrl(document.baseURI);

function readAddress() {
  const { view, url, protocols } = fromHash(location.hash, own);
  app.view = view;
  return { url, protocols };
}

/** Keeps the page's address at the view and the connection in use, so that a reload and a copied link restore both. */
function writeAddress() {
  const { url, protocols } = app.tab.used ?? app.tab;
  const hash = toHash({ view: app.view, url, protocols, own });
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

startLanguage();
startTheme();
restoreSizes();
app.tab = new Tab(readAddress());
app.tabs.push(app.tab);
app.tab.connect();

addEventListener("hashchange", () => {
  const { url, protocols } = readAddress();
  const { tab } = app;
  // Another view of the same connection, or a link to another connection: it is filled in and waits for a button.
  if (location.hash.includes("?") || !tab.used) Object.assign(tab, { url, protocols });
  changed();
});
addEventListener("resize", () => {
  app.width = innerWidth;
  changed();
});
startKeyboard();

const root = document.querySelector("#app");
drawWith(() => {
  writeAddress();
  document.title = app.tab.word === "open" ? "ws-echo" : `${t(`state.${app.tab.word}`)}: ws-echo`;
  render(html`<${App} />`, root);
});
// What the page shows changes with time alone only while a connection is open or waits: once a second suffices.
setInterval(changed, 1000);

fetch("behaviours.json")
  .then((response) => (response.ok ? response.json() : null))
  .then((keys) => {
    app.keys = Array.isArray(keys?.keys) ? keys : null;
    changed();
  })
  .catch(() => {});

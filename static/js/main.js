// Starts the page: theme, language and the first connection, which is made at once. The views are fetched meanwhile.
import { Tab } from "./connection/tab.js";
import { fromHash, ownUrl } from "./connection/url.js";
import { startLanguage } from "./shared/i18n.js";
import { startTheme } from "./shell/theme.js";
import { app, changed } from "./state.js";

startTheme();
startLanguage();
const { view, url, protocols } = fromHash(location.hash, ownUrl(document.baseURI));
app.view = view;
app.tab = new Tab({ url, protocols });
app.tabs.push(app.tab);
app.tab.connect();
import("./shell/views.js");

fetch("behaviours.json")
  .then((response) => (response.ok ? response.json() : null))
  .then((keys) => {
    app.keys = Array.isArray(keys?.keys) ? keys : null;
    changed();
  })
  .catch(() => {});

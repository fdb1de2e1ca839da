// Starts the page: theme, language and the first connection, which is made at once. The views and the texts are fetched meanwhile.
import { Tab } from "./connection/tab.js";
import { fromHash, ownUrl } from "./connection/url.js";
import { startLanguage } from "./shared/i18n.js";
import { startTexts } from "./shell/texts.js";
import { startTheme } from "./shell/theme.js";
import { app } from "./state.js";

startTheme();
startLanguage();
startTexts();
const { view, url, protocols } = fromHash(location.hash, ownUrl(document.baseURI));
app.view = view;
app.tab = new Tab({ url, protocols });
app.tabs.push(app.tab);
app.tab.connect();
import("./shell/views.js");

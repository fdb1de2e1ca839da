// The page as a function of the state: app bar, then the view.
import { AddressBar } from "../connection/addressbar.js";
import { Callout } from "../connection/callout.js";
import { StateLine } from "../connection/stateline.js";
import { Dock } from "../exchange/dock.js";
import { LogPane } from "../log/pane.js";
import { Divider } from "../shared/divider.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { app, narrow, wide } from "../state.js";
import { AppBar } from "./appbar.js";
import { Check, ConnectionTabs, Drawer, Inspector, Laboratory, Parts } from "./later.js";

export function App() {
  const composer = app.view === "console" && !(narrow() && app.part === "connection") && !(app.drawer && !wide());
  return html`
    ${composer && html`<a class="skip" href="#composer">${t("skip")}</a>`}
    <${AppBar} />
    <main class=${app.view} id=${app.view} key=${app.view}><${VIEWS[app.view]} /></main>
    <p class="hidden" role="status">${app.said}</p>
  `;
}

const VIEWS = { console: Console, check: Check, lab: Laboratory };

function Console() {
  const { tab } = app;
  const inspector = wide() || app.sheet;
  return html`
    ${app.tabs.length > 1 && !narrow() && html`<${ConnectionTabs} />`}
    <${AddressBar} tab=${tab} />
    ${app.drawer && html`<${Drawer} tab=${tab} />`}
    ${narrow() ? html`<${Parts} tab=${tab} />` : html`
      <${StateLine} tab=${tab} />
      <${Callout} tab=${tab} />
      <div class="work" style=${{ "--inspector": `${app.sizes.inspector}px` }}>
        <div class="left">
          <${LogPane} tab=${tab} />
          <${Dock} tab=${tab} />
        </div>
        ${wide() && html`<${Divider} name="inspector" label=${t("divider.inspector")} from="right" />`}
        ${inspector && html`<${Inspector} tab=${tab} />`}
      </div>
    `}
  `;
}

// The console under 700 px: Log, Send and Connection, one at a time.
import { Callout } from "../connection/callout.js";
import { Dock } from "../exchange/dock.js";
import { LogPane } from "../log/pane.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Tabs } from "../shared/tabs.js";
import { app } from "../state.js";
import { ConnectionPart, Inspector } from "./later.js";

export function Parts({ tab }) {
  return html`
    <${Tabs} label=${t("parts")} items=${["log", "send", "connection"].map((id) => ({ id, text: t(`part.${id}`) }))} chosen=${app.part} onChoose=${(id) => (app.part = id)} class="parts" />
    <${Callout} tab=${tab} />
    <div class="part">
      ${app.part === "log" && html`<${LogPane} tab=${tab} /><${Dock} tab=${tab} compact />`}
      ${app.part === "send" && html`<${Dock} tab=${tab} />`}
      ${app.part === "connection" && html`<${ConnectionPart} tab=${tab} />`}
    </div>
    ${app.sheet && html`<${Inspector} tab=${tab} />`}
  `;
}

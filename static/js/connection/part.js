// The part "Connection" under 700 px: what stands in the address bar, the state line and their menus on wider screens.
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { FaultButton } from "./addressbar.js";
import { DisconnectMenu } from "./disconnect.js";
import { history } from "./history.js";
import { HistoryList } from "./historymenu.js";
import { Chips, figures, news } from "./stateline.js";
import { SubprotocolField } from "./subprotocol.js";

export function ConnectionPart({ tab }) {
  const show = (inspector) =>
    act(() => {
      app.inspector = inspector;
      app.sheet = true;
    });
  const more = (text, inspector) => html`<button type="button" class="quiet row-link" onClick=${show(inspector)}><b>${text}</b>${icon("chevronRight")}</button>`;
  return html`<div class="part connection-part" data-pane>
    <div>
      <p>${news(tab)}</p>
      <dl class="facts">${figures(tab).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd key=${`${name}=`}>${value}</dd>`)}</dl>
      <button type="button" class="link" onClick=${show("timing")}>${t("part.timing")}</button>
    </div>
    <div><${SubprotocolField} tab=${tab} /><${FaultButton} tab=${tab} /><${Chips} tab=${tab} /></div>
    <div class="disconnect"><${DisconnectMenu} tab=${tab} /></div>
    ${more(t("part.handshake"), "connection")}
    <details><summary><span>${t("history")} <span class="muted">${t("part.urls", { n: history.length })}</span></span>${icon("chevronRight")}</summary><${HistoryList} tab=${tab} /></details>
  </div>`;
}

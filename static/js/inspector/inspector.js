// The inspector: the chosen message, the timing, the connection. A pane beside the log, or a sheet over it.
import { Component, html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { Tabs } from "../shared/tabs.js";
import { act, app, narrow, wide } from "../state.js";
import { ConnectionView } from "./connectionview.js";
import { MessageView } from "./message.js";
import { shownRow } from "./rows.js";
import { TimingView } from "./timingview.js";

const VIEWS = { message: MessageView, timing: TimingView, connection: ConnectionView };
const PANEL = "inspector-panel";

const close = act(() => (app.sheet = false));

export class Inspector extends Component {
  // A sheet takes the focus, and gives it back.
  componentDidMount() {
    if (wide()) return;
    this.before = document.activeElement;
    this.element.querySelector("[aria-selected=true]").focus();
  }
  componentWillUnmount() {
    const { activeElement } = document;
    // What has the focus next can be seen only once the sheet is gone.
    if (this.element.contains(activeElement) || activeElement === document.body) queueMicrotask(() => this.before?.focus());
  }
  // What is shown anew is shown from its beginning.
  componentDidUpdate() {
    const shown = app.inspector === "message" ? shownRow(this.props.tab) : app.inspector;
    if (shown !== this.shown) this.panel.scrollTop = 0;
    this.shown = shown;
  }
  render({ tab }) {
    const View = VIEWS[app.inspector];
    return html`<aside ref=${(element) => element && (this.element = element)} class="inspector" aria-label=${t("inspector")}>
      <div class="inspector-head">
        ${narrow() && html`<button type="button" class="quiet back" onClick=${close}>${icon("chevronLeft")}${t("inspect.back")}</button>`}
        <${Tabs} label=${t("inspector")} panel=${PANEL} items=${Object.keys(VIEWS).map((id) => ({ id, text: t(`inspect.${id}`) }))} chosen=${app.inspector} onChoose=${(id) => (app.inspector = id)} />
        ${!wide() && !narrow() && html`<button type="button" class="icon-button" aria-label=${t("dismiss")} onClick=${close}>${icon("close")}</button>`}
      </div>
      <div ref=${(element) => element && (this.panel = element)} id=${PANEL} class="panel" role="tabpanel" tabindex="0" data-pane aria-labelledby=${`${PANEL}-${app.inspector}`}><${View} tab=${tab} /></div>
    </aside>`;
  }
}

// The dock under the log: the last exchange, and the composer of the next message.
import { Divider } from "../shared/divider.js";
import { classes, html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { narrow } from "../state.js";
import { Composer } from "./composer.js";
import { LastExchange } from "./last.js";

/** `compact`: beneath the log under 700 px, without options. */
export function Dock({ tab, compact }) {
  const form = compact ? "compact" : narrow() ? "whole" : "lines";
  return html`<section class=${classes("dock", form)} aria-label=${t("dock")}>
    ${form === "lines" && html`<${Divider} name="composer" label=${t("divider.composer")} from="bottom" />`}
    <${LastExchange} tab=${tab} form=${form} />
    <${Composer} key=${tab.id} tab=${tab} compact=${compact} />
  </section>`;
}

// The menu at the end of the address bar: what can be copied of the connection, and the way back to the default.
import { copyText } from "../shared/browser.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Popover } from "../shared/popover.js";
import { act, app, changed } from "../state.js";
import { COMMANDS } from "./commands.js";
import { arrows } from "./historymenu.js";
import { DEFAULT_PROTOCOLS, ownUrl, protocolList, readUrl, toHash } from "./url.js";

let copied = ""; // the entry that was copied last: it says so until the menu closes

export function MoreMenu({ tab }) {
  const own = ownUrl(document.baseURI);
  const { url = tab.url } = readUrl(tab.url);
  const target = { url, protocols: protocolList(tab.protocols), origin: location.origin };
  const link = () => new URL(toHash({ view: app.view, url, protocols: tab.protocols, own }), document.baseURI).href;
  const copy = (id, text) => async () => {
    const done = await copyText(text());
    copied = done ? id : "";
    app.said = t(done ? "copied" : "notCopied");
    changed();
  };
  const entry = (id, name, text, note) => html`<li key=${id}><button type="button" data-copy=${id} onClick=${copy(id, text)}><span>${name}</span><span class="muted">${copied === id ? t("copied") : note}</span></button></li>`;
  const reset = act(() => {
    tab.url = own;
    tab.protocols = DEFAULT_PROTOCOLS;
    app.popover = null;
  });
  return html`<${Popover} label=${t("more")} class="more" onClose=${() => (copied = "")}>
    <div onKeyDown=${arrows}>
      <h2>${t("copy")}</h2>
      <ul class="menu">${entry("url", t("more.url"), () => url)}${entry("link", t("more.link"), link)}</ul>
      <h2>${t("more.line")}</h2>
      <ul class="menu">${COMMANDS.map(({ name, line }) => entry(name, name, () => line(target), name === "curl" && t("more.handshake")))}</ul>
      <hr />
      <ul class="menu"><li><button type="button" onClick=${reset}>${t("more.reset")}</button></li></ul>
    </div>
  <//>`;
}

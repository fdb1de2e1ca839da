// The strip of connection tabs, shown from the second connection on.
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { presetOf } from "../drawer/presets.js";
import { act, app } from "../state.js";
import { faultsOf } from "./faults.js";
import { lamp, wordOf } from "./lamp.js";
import { closeTab, newTab } from "./tabs.js";

function label(tab) {
  if (tab.imported) return tab.imported;
  const host = tab.url.replace(/^wss?:\/\//, "").split(/[/?#]/)[0];
  const faults = faultsOf(tab.url, app.keys);
  const preset = presetOf(faults);
  if (preset) return t("tab.preset", { host, preset: t(`preset.${preset.id}`).toLowerCase() });
  return faults.length === 0 ? host : t(faults.length === 1 ? "tab.fault" : "tab.faults", { host, n: faults.length });
}

export function ConnectionTabs() {
  const choose = (tab) => {
    app.tab = tab;
    app.popover = app.drawer = null;
  };
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (app.tabs.indexOf(app.tab) + step + app.tabs.length) % app.tabs.length;
    act(choose)(app.tabs[next]);
    event.currentTarget.children[next].focus();
  };
  const close = (tab) => (event) => {
    event.stopPropagation();
    act(closeTab)(tab);
  };
  // The cross is for the pointer; a tab list may hold nothing but tabs, so the key of its name is Delete.
  return html`<div class="connections">
    <div class="connection-tabs" role="tablist" aria-label=${t("connections")} onKeyDown=${move}>
      ${app.tabs.map((tab) => {
        const chosen = tab === app.tab;
        return html`<button type="button" role="tab" key=${tab.id} aria-selected=${chosen} aria-keyshortcuts="Delete" tabindex=${chosen ? 0 : -1} onClick=${act(() => choose(tab))} onKeyDown=${(event) => event.key === "Delete" && close(tab)(event)}>
          ${lamp(wordOf(tab), 10)} <span>${label(tab)}</span> <span class="tab-close" title=${t("tab.close", { name: label(tab) })} onClick=${close(tab)}>${icon("close", 14)}</span>
        </button>`;
      })}
    </div>
    <button type="button" class="quiet" onClick=${act(newTab)}>${icon("plus")} ${t("tab.new")}</button>
  </div>`;
}

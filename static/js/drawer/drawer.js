// The drawer "Simulate a fault": presets, then a field for each query key of the server's list. The tab's URL is where
// the faults are kept: the drawer shows and changes it.
import { faultsOf, pairText, withFaults } from "../connection/faults.js";
import { readUrl } from "../connection/url.js";
import { copyText } from "../shared/browser.js";
import { classes, Component, html } from "../shared/html.js";
import { has, t } from "../shared/i18n.js";
import { icon } from "../shared/icons.js";
import { act, app, changed, narrow } from "../state.js";
import { Field, read } from "./field.js";
import { firstGroups, groupsOf } from "./open.js";
import { PRESETS, presetOf } from "./presets.js";
import { check } from "./values.js";

let copied = ""; // the URL that was copied last

function Presets({ tab, keys }) {
  const chosen = presetOf(faultsOf(tab.url, app.keys));
  const known = ({ pairs }) => pairs.every(([name, value]) => keys.some((key) => key.name === name && !check(key, value)));
  const choose = (preset) =>
    act(() => {
      const pairs = preset === chosen ? [] : preset.pairs;
      tab.url = withFaults(tab.url, pairs, app.keys);
      app.drawer.open = groupsOf(pairs.map(([name]) => name));
    });
  return html`<div class="presets" role="group" aria-label=${t("drawer.presets")}>
    ${PRESETS.filter(known).map(
      (preset) => html`<button type="button" key=${preset.id} data-preset=${preset.id} aria-pressed=${preset === chosen} onClick=${choose(preset)}>
        <b>${t(`preset.${preset.id}`)}</b><span>${preset.pairs.map(pairText).join("&")}</span>${preset === chosen && icon("check")}
      </button>`,
    )}
  </div>`;
}

function Group({ tab, name, keys }) {
  const { open } = app.drawer;
  const set = keys.map((key) => read(tab, key)).filter(({ value, wrong }) => wrong || value !== undefined);
  const bad = set.some(({ wrong }) => wrong);
  return html`<details open=${open.has(name)} onToggle=${(event) => (event.target.open ? open.add(name) : open.delete(name))}>
    <summary>${icon("chevronRight", 12)}<b>${has(`group.${name}`) ? t(`group.${name}`) : name}</b> <span>${keys.map((key) => key.name).join(", ")}</span>
      ${set.length > 0 && html`<b class=${classes("count", bad && "error")}>${set.length}<span class="hidden"> ${t("drawer.set")}</span></b>`}</summary>
    <div class="fields">${keys.map((key) => html`<${Field} key=${key.name} tab=${tab} entry=${key} />`)}</div>
  </details>`;
}

export class Drawer extends Component {
  componentDidMount() {
    this.opener = document.activeElement;
    this.focus();
  }
  componentDidUpdate() {
    if (this.shown !== app.drawer) this.focus();
  }
  componentWillUnmount() {
    const { opener, element } = this;
    if (!element.contains(document.activeElement) && document.activeElement !== document.body) return;
    // After the drawer has gone: under 700 px it hides what it covers.
    queueMicrotask(() => (opener.isConnected && opener !== document.body ? opener : document.querySelector("#fault"))?.focus());
  }
  /** Gives the focus to the field that is asked for, else to the chosen preset or the first. */
  focus() {
    this.shown = app.drawer;
    const places = [`#fault-${app.drawer.key}`, "[data-preset][aria-pressed=true]", "[data-preset]", "button"];
    places.map((place) => this.element.querySelector(place)).find(Boolean).focus();
  }

  render({ tab }) {
    // `watch` belongs to the server's view.
    const keys = app.keys?.keys.filter((key) => key.group !== "observation") ?? [];
    const groups = [...new Set(keys.map((key) => key.group))];
    // The list of keys can come after the drawer.
    if (app.keys) app.drawer.open ??= firstGroups(tab, app.drawer.key);
    const query = tab.url.split(/\?(.*)/s)[1];
    const { url } = readUrl(tab.url);
    const live = tab.open || tab.word === "connecting" || tab.word === "closing";
    const ready = url && !tab.imported && !keys.some((key) => read(tab, key).wrong);
    const submit = act((event) => {
      event.preventDefault();
      if (!ready) return;
      tab.connect("faults");
      if (narrow()) app.drawer = null;
    });
    const copy = async () => {
      copied = (await copyText(url)) ? url : "";
      app.said = t(copied ? "copied" : "notCopied");
      changed();
    };
    const reset = act(() => {
      tab.url = withFaults(tab.url, [], app.keys);
      app.drawer.drafts = {};
    });
    return html`<section ref=${(element) => element && (this.element = element)} class="drawer" role="dialog" aria-label=${t("fault")}><form noValidate onSubmit=${submit}>
      <header><h2>${t("fault")}</h2><p>${t("drawer.about")}</p><span>Esc</span><button type="button" class="icon-button" aria-label=${t("dismiss")} onClick=${act(() => (app.drawer = null))}>${icon("close")}</button></header>
      <div class="clip"><div class="drawer-body">
        ${keys.length > 0
          ? html`<${Presets} tab=${tab} keys=${keys} />${groups.map((name) => html`<${Group} key=${name} tab=${tab} name=${name} keys=${keys.filter((key) => key.group === name)} />`)}`
          : html`<p class="muted">${t(app.keys ? "drawer.off" : "drawer.unknown")}</p>`}
      </div></div>
      <footer>
        ${query ? html`<code>${`?${query}`}</code>` : html`<span class="muted">${t("drawer.none")}</span>`}
        <button type="button" class="quiet" id="fault-copy" disabled=${!url} onClick=${copy}>${t(copied && copied === url ? "copied" : "drawer.copy")}</button>
        <button type="button" class="quiet" id="fault-reset" onClick=${reset}>${t("drawer.reset")}</button>
        <button type="submit" class="primary" id="fault-connect" disabled=${!ready}>${t(live ? "drawer.reconnect" : "drawer.connect")}</button>
      </footer>
    </form></section>`;
  }
}

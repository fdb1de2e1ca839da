// The log's tools: count, find, filters, server's view, pause, clear, export.
import { classes, html } from "../shared/html.js";
import { dots, icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { Popover, toggle } from "../shared/popover.js";
import { ExportItems } from "../shell/later.js";
import { act, app, narrow, wide } from "../state.js";

export const rowsText = (n) => (n === 1 ? t("log.row") : t("log.rows", { n: number(n) }));

/** The rows that the log would show without a filter: folded heartbeats are none. */
export const total = ({ log, heartbeat }) => log.total - (heartbeat.expanded ? 0 : log.beats);

function count(tab) {
  const { log, finder } = tab;
  if (finder.busy) return t("log.searching");
  if (log.frozen) return t("log.paused", { rows: rowsText(log.missed) });
  const all = total(tab);
  return log.length === all ? rowsText(all) : t("log.some", { n: number(log.length), total: number(all) });
}

/** Changes what the log shows. */
export const find = (tab, changes) =>
  act(() => {
    Object.assign(tab.find, changes);
    tab.applyFilter();
  })();

/** A choice that looks like a word with a chevron; the browser's own list lies over it unseen. */
function choice(id, options, value, onChoose) {
  return html`<label class="choice"><span>${options.find(([key]) => key === value)[1]}</span>${icon("chevronDown", 12)}
    <select id=${id} aria-label=${t(`find.${id}`)} onChange=${(event) => onChoose(event.target.value)}>${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}</select>
  </label>`;
}

function Filters({ tab }) {
  const { kinds, types } = tab.find;
  const ofKind = [["", t("events.all")], ["sent received", t("events.messages")]];
  for (const kind of ["sent", "received", "control", "close", "error"]) ofKind.push([kind, t(`kind.${kind}`)]);
  ofKind.push(["opened ended error retries", t("events.connection")]);
  const ofType = [["text", t("type.text")], ["binary", t("type.binary")]];
  if (wide()) return html`${choice("kinds", ofKind, kinds, (kinds) => find(tab, { kinds }))}${choice("types", [["", t("types.all")], ...ofType], types, (types) => find(tab, { types }))}`;
  // One list for both: types have no list of their own here.
  return choice("kinds", [...ofKind, ...ofType], types || kinds, (word) => find(tab, ofType.some(([key]) => key === word) ? { kinds: "", types: word } : { kinds: word, types: "" }));
}

function Find({ tab }) {
  const { text, regex } = tab.find;
  const { error } = tab.finder;
  return html`<div class=${classes("find", error && "bad")}>
    ${icon("search")}
    <input id="find" type="search" spellcheck=${false} autocomplete="off" aria-label=${t("find")} placeholder=${t("find")} value=${text} aria-invalid=${error ? "true" : null} aria-describedby="find-error" class=${regex && "mono"} onInput=${(event) => find(tab, { text: event.target.value })} />
    <button type="button" id="regex" class="mono" aria-label=${t("find.regex")} title=${t("find.regex")} aria-pressed=${regex} onClick=${() => find(tab, { regex: !regex })}></button>
  </div>`;
}

function ViewSwitch({ tab }) {
  const foreign = !tab.ours;
  return html`<label class=${classes("check", foreign && "muted")} title=${foreign ? t("view.foreign") : null}>
    <input id="watching" type="checkbox" checked=${tab.watched} disabled=${foreign || tab.imported !== null} onChange=${(event) => tab.watch(event.target.checked)} />${t("view")}
  </label>`;
}

function Commands({ tab }) {
  const { frozen } = tab.log;
  return html`<button type="button" id="pause" class=${classes("quiet", frozen && "on")} aria-pressed=${frozen} onClick=${() => tab.pause(!frozen)}>${t(frozen ? "log.resume" : "log.pause")}</button>
    <button type="button" id="clear" class="quiet" onClick=${() => tab.clear()}>${t("log.clear")}</button>`;
}

/** The button `export` and its menu: under 700 px of everything that has no place in the bar. */
function Menu({ tab, small }) {
  return html`<div class="anchor">
    <button type="button" id="export" class=${small ? "icon-button" : "quiet"} aria-label=${small ? t("log.more") : null} aria-haspopup="dialog" aria-expanded=${app.popover === "export"} onClick=${toggle("export")}>${small ? dots() : html`${t("export")}${icon("chevronDown", 12)}`}</button>
    ${app.popover === "export" && html`<${Popover} label=${t(small ? "log.more" : "export")} class="export">
      ${small && html`<${Commands} tab=${tab} /><${ViewSwitch} tab=${tab} />
        <label class="check"><input type="checkbox" checked=${tab.heartbeat.expanded} onChange=${(event) => tab.heartbeat.expand(event.target.checked)} />${t("beat.rows")}</label><hr />`}
      <${ExportItems} tab=${tab} />
    <//>`}
  </div>`;
}

export function Tools({ tab }) {
  const small = narrow();
  const { shown, text } = tab.find;
  const finding = small && (shown || text);
  const show = () => {
    find(tab, { shown: !finding, text: "" });
    if (!finding) requestAnimationFrame(() => document.querySelector("#find")?.focus());
  };
  return html`<div class="log-tools">
    <h2 class=${small && "hidden"}>${t("log")}</h2>
    ${!finding && html`<span class="muted" id="log-count">${count(tab)}</span>`}
    ${(!small || finding) && html`<${Find} tab=${tab} />`}
    ${!small && html`<${Filters} tab=${tab} /><${ViewSwitch} tab=${tab} />`}
    ${!finding && html`<i class="spacer"></i>`}
    <div class="commands">
      ${small && html`<button type="button" class="icon-button" id="find-show" aria-label=${t(finding ? "dismiss" : "find.show")} onClick=${show}>${icon(finding ? "close" : "search")}</button>`}
      ${small ? !finding && html`<${Filters} tab=${tab} />` : html`<${Commands} tab=${tab} />`}
      <${Menu} tab=${tab} small=${small} />
      ${!small && !wide() && html`<button type="button" id="inspect" aria-expanded=${app.sheet} onClick=${act(() => (app.sheet = !app.sheet))}>${t("inspector")}</button>`}
    </div>
  </div>`;
}

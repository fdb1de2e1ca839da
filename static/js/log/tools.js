// The log's tools: count, find, filters, server's view, pause, clear, export.
import { classes, html } from "../shared/html.js";
import { dots, icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { Popover, toggle } from "../shared/popover.js";
import { act, app, narrow, wide } from "../state.js";
import { ExportItems } from "./export.js";

const KINDS = ["sent", "received", "control", "close", "error"];

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

export const filtered = ({ find }) => Boolean(find.text || find.kinds || find.types);

export function unfilter(tab) {
  Object.assign(tab.find, { text: "", kinds: "", types: "" });
  tab.applyFilter();
}

/** A choice that looks like a word with a chevron; the browser's own list lies over it unseen. */
function choice({ id, label, value, groups, onChoose }) {
  const options = groups.flatMap((group) => group.options);
  const option = ([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`;
  return html`<label class="choice"><span>${options.find(([key]) => key === value)[1]}</span>${icon("chevronDown", 12)}
    <select id=${id} aria-label=${label} onChange=${act((event) => onChoose(event.target.value))}>
      ${groups.map((group) => (group.label ? html`<optgroup key=${group.label} label=${group.label}>${group.options.map(option)}</optgroup>` : group.options.map(option)))}
    </select>
  </label>`;
}

function Filters({ tab }) {
  const { find } = tab;
  const events = [
    ["", t("events.all")],
    ["sent received", t("events.messages")],
    ...KINDS.map((kind) => [kind, t(`kind.${kind}`)]),
    ["opened ended error retries", t("events.connection")],
  ];
  const types = [["", t("types.all")], ["text", t("type.text")], ["binary", t("type.binary")]];
  const set = (changes) => {
    Object.assign(find, changes);
    tab.applyFilter();
  };
  if (wide()) {
    return html`${choice({ id: "kinds", label: t("find.events"), value: find.kinds, groups: [{ options: events }], onChoose: (kinds) => set({ kinds }) })}
      ${choice({ id: "types", label: t("find.types"), value: find.types, groups: [{ options: types }], onChoose: (types) => set({ types }) })}`;
  }
  // One list for both: the types have no list of their own here.
  const both = [{ options: events }, { label: t("find.types"), options: types.slice(1).map(([key, text]) => [`type:${key}`, text]) }];
  const choose = (value) => set(value.startsWith("type:") ? { kinds: "", types: value.slice(5) } : { kinds: value, types: "" });
  return choice({ id: "kinds", label: t("find.events"), value: find.types ? `type:${find.types}` : find.kinds, groups: both, onChoose: choose });
}

function Find({ tab }) {
  const { find, finder } = tab;
  const set = act((changes) => {
    Object.assign(find, changes);
    tab.applyFilter();
  });
  return html`<div class=${classes("find", finder.error && "bad")}>
    ${icon("search")}
    <input id="find" type="search" spellcheck=${false} autocomplete="off" aria-label=${t("find")} placeholder=${t("find")} value=${find.text} aria-invalid=${finder.error ? "true" : null} aria-describedby="find-error" class=${find.regex && "mono"} onInput=${(event) => set({ text: event.target.value })} />
    <button type="button" id="regex" class="mono" aria-label=${t("find.regex")} title=${t("find.regex")} aria-pressed=${find.regex} onClick=${() => set({ regex: !find.regex })}></button>
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

export function Tools({ tab }) {
  if (narrow()) return html`<${SmallTools} tab=${tab} />`;
  return html`<div class="log-tools">
    <h2>${t("log")}</h2><span class="muted" id="log-count">${count(tab)}</span>
    <${Find} tab=${tab} />
    <${Filters} tab=${tab} />
    <${ViewSwitch} tab=${tab} />
    <div class="spacer"></div>
    <div class="commands">
      <${Commands} tab=${tab} />
      <div class="anchor"><button type="button" id="export" class="quiet" aria-haspopup="dialog" aria-expanded=${app.popover === "export"} onClick=${toggle("export")}>${t("export")}${icon("chevronDown", 12)}</button>
        ${app.popover === "export" && html`<${Popover} label=${t("export")} class="export"><${ExportItems} tab=${tab} /><//>`}</div>
      ${!wide() && html`<button type="button" id="inspect" class="inspect" aria-expanded=${app.sheet} onClick=${act(() => (app.sheet = !app.sheet))}>${t("inspector")}</button>`}
    </div>
  </div>`;
}

/** Under 700 px: one bar; the field to find stands in it while it is used, and the rest is in a menu. */
function SmallTools({ tab }) {
  const { find } = tab;
  const finding = find.shown || find.text !== "";
  const show = (shown) =>
    act(() => {
      find.shown = shown;
      if (!shown && find.text) {
        find.text = "";
        tab.applyFilter();
      }
      if (shown) requestAnimationFrame(() => document.querySelector("#find")?.focus());
    });
  return html`<div class="log-tools">
    <h2 class="hidden">${t("log")}</h2>
    ${finding ? html`<${Find} tab=${tab} />` : html`<span class="muted" id="log-count">${count(tab)}</span>`}
    ${!finding && html`<div class="spacer"></div>`}
    <div class="commands">
      <button type="button" class="icon-button" id="find-show" aria-label=${t(finding ? "dismiss" : "find.show")} onClick=${show(!finding)}>${icon(finding ? "close" : "search")}</button>
      ${!finding && html`<${Filters} tab=${tab} />`}
      <div class="anchor"><button type="button" id="export" class="icon-button" aria-label=${t("log.more")} aria-haspopup="dialog" aria-expanded=${app.popover === "export"} onClick=${toggle("export")}>${dots()}</button>
        ${app.popover === "export" && html`<${Popover} label=${t("log.more")} class="export"><div class="small-commands"><${Commands} tab=${tab} /></div><${ViewSwitch} tab=${tab} />
          <label class="check"><input type="checkbox" checked=${tab.heartbeat.expanded} onChange=${(event) => tab.heartbeat.expand(event.target.checked)} />${t("beat.rows")}</label><hr /><${ExportItems} tab=${tab} /><//>`}</div>
    </div>
  </div>`;
}

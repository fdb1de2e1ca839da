// A field of the drawer: one query key of the tab's URL, or one of the values of a key that can be set several times.
import { queryOf, withQuery } from "../connection/url.js";
import { bytes } from "../shared/format.js";
import { classes, html } from "../shared/html.js";
import { has, t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { check, choices, conflict, control } from "./values.js";

const list = (words, last = "or") => (words.length > 1 ? `${words.slice(0, -1).join(t("list.and"))}${t(`list.${last}`)}${words.at(-1)}` : words[0]);

export const valuesOf = (url, name) => queryOf(url).filter(([key]) => key === name).map(([, value]) => value);

/** The names of the keys that the URL sets. */
export const keysIn = (url) => new Set(queryOf(url).map(([key]) => key));

/** The text of a field that is no value yet. It is forgotten once the URL's value changes elsewhere. */
function draftOf(tab, name) {
  const draft = app.drawer.drafts[name];
  return draft && draft.values === valuesOf(tab.url, name).join("&") ? draft : null;
}

function bound({ kind, min, max, codes }) {
  if (codes) return codes.map(([from, to]) => t("bound.from", { min: from, max: to })).join(t("list.and"));
  if (max === undefined) return "";
  if (kind === "size") return t("bound.most", { max: bytes(Number(max)) });
  return kind === "duration" && min === "0" ? t("bound.most", { max }) : t("bound.from", { min, max });
}

const kindText = ({ kind, unit, values }) => (kind === "choice" ? list(values) : t(`form.${unit === "messages" ? unit : kind}`));

function words(key, { wrong, form }) {
  if (wrong === "reason") return t("bad.reason", { n: form.maxReasonBytes });
  if (wrong === "range") return t("bad.range", { bound: bound(form) });
  const bounds = key.forms.map(bound).filter(Boolean).join(t("list.and"));
  const eg = key.forms.length === 1 && key.forms[0].kind === "duration" ? list(["500ms", "2s"]) : key.example;
  return t(bounds ? "bad.kind" : "bad.open", { kinds: list(key.forms.map(kindText)), eg, bounds });
}

/** Why a key cannot be set beside others. */
const reason = ({ excludes, needs }) => (excludes ? t("field.excludes", { key: excludes }) : t("field.needs", { keys: list(needs) }));

/** What is wrong with the key in this tab, in words; nothing while it is right or not set. */
export function wrongIn(tab, key) {
  const { name } = key;
  const values = valuesOf(tab.url, name);
  const draft = draftOf(tab, name);
  if (draft) return words(key, check(key, draft.text));
  if (!values.length) return "";
  const bad = values.map((value) => check(key, value)).find(Boolean);
  if (bad) return words(key, bad);
  if (values.length > 1 && !key.repeatable) return t("bad.twice", { n: values.length });
  const against = conflict(key, keysIn(tab.url));
  return against ? reason(against) : "";
}

export function Field({ tab, entry: key }) {
  const count = valuesOf(tab.url, key.name).length;
  const fields = key.repeatable ? Math.min(count + 1, key.maxCount ?? 99) : 1;
  return Array.from({ length: fields }, (_, index) => html`<${One} key=${index} tab=${tab} entry=${key} index=${index} />`);
}

function One({ tab, entry: key, index }) {
  const { name } = key;
  const values = valuesOf(tab.url, name);
  const value = values[index];
  const isSet = value !== undefined;
  const draft = draftOf(tab, name);
  const mine = draft?.index === index;
  const wrong = (mine || isSet) && wrongIn(tab, key);
  const against = !isSet && !mine && conflict(key, keysIn(tab.url));
  const kind = control(key);
  const id = `fault-${name}${index ? `-${index}` : ""}`;
  const write = (text) => {
    const next = key.repeatable ? [...values] : [];
    if (text === null) next.splice(index, 1);
    else next[index] = text;
    delete app.drawer.drafts[name];
    tab.url = withQuery(tab.url, { [name]: next.length ? next : null });
  };
  const input = act((event) => {
    const text = event.target.value;
    if (text === "") write(null);
    else if (check(key, text)) app.drawer.drafts[name] = { text, index, values: values.join("&") };
    else write(text);
  });
  const shared = { id, disabled: Boolean(against), "aria-invalid": wrong ? "true" : null, "aria-describedby": `${id}-hint` };
  const text = mine ? draft.text : value ?? "";
  const flag = kind === "switch" ? choices(key)[0] ?? "" : "";
  const hint = against ? reason(against) : isSet || kind !== "text" ? "" : choices(key).length ? [...choices(key), key.example].join(t("list.and")) : t("field.eg", { eg: key.example });
  return html`<div class=${classes("field", isSet && !wrong && "set")}>
    <label>
      <span>${has(`key.${name}`) ? t(`key.${name}`) : name}</span>
      <span class="hint" id=${!wrong && `${id}-hint`} aria-hidden="true" title=${against ? hint : null}>${hint}</span>
      ${kind === "switch"
        ? html`<button type="button" role="switch" class="box" aria-checked=${isSet} onClick=${act(() => write(isSet ? null : flag))} ...${shared}><span>${flag ? `${name}=` : ""}</span>${flag || name}<i></i></button>`
        : html`<span class="box"><span aria-hidden="true">${name}=</span>
          ${kind === "select"
            ? html`<select value=${text} onChange=${input} ...${shared}><option value="">–</option>${choices(key).map((choice) => html`<option key=${choice} value=${choice}>${choice}</option>`)}</select>`
            : html`<input type=${key.secret ? "password" : "text"} spellcheck=${false} autocomplete="off" autocapitalize="off" value=${text} onInput=${input} ...${shared} />`}</span>`}
    </label>
    ${wrong && html`<p id=${`${id}-hint`} class="error">${wrong}</p>`}
  </div>`;
}

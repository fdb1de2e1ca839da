// A field of the drawer: one query key of the tab's URL.
import { queryOf, withQuery } from "../connection/url.js";
import { bytes } from "../shared/format.js";
import { classes, html } from "../shared/html.js";
import { has, t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { canBeBare, check, choices, conflict, control, valuesOf } from "./values.js";

const and = (words) => words.join(t("list.and"));
const or = (words) => [and(words.slice(0, -1)), words.at(-1)].filter(Boolean).join(t("list.or"));

function bound({ kind, min, max, codes }) {
  if (codes) return and(codes.map(([from, to]) => t("bound.from", { min: from, max: to })));
  if (kind === "size") return t("bound.most", { max: bytes(Number(max)) });
  const fromNothing = kind === "duration" && min.startsWith("0");
  return max && t(fromNothing ? "bound.most" : "bound.from", { min, max });
}

const kindText = ({ kind, unit, values }) => (values ? or(values) : t(`form.${unit === "messages" ? unit : kind}`));

function words({ name, forms, example }, { wrong, form }) {
  if (wrong === "reason") return t("bad.reason", { n: form.maxReasonBytes });
  if (wrong === "range") return t("bad.range", { bound: bound(form) });
  const eg = forms.length === 1 && forms[0].kind === "duration" ? or(["500ms", "2s"]) : example;
  const bounds = and(forms.map(bound).filter(Boolean));
  const kinds = forms.some(({ kind }) => kind === "text") ? t("form.text", { name }) : or(forms.map(kindText));
  return t("bad.kind", { kinds, eg: bounds ? t("bad.bounds", { eg, bounds }) : eg });
}

/** Why a key cannot be set beside others. */
const reason = ({ excludes, needs }) => (excludes ? t("field.excludes", { key: excludes }) : t("field.needs", { keys: or(needs) }));

/** The key's field in this tab: { value, draft, text, wrong, against }, the last two in words. */
export function read(tab, key) {
  const { name } = key;
  const set = queryOf(tab.url).filter(([one]) => one === name);
  const value = set.length ? set.map(([, one]) => one).join("\n") : undefined;
  // A text that is no value is kept until the URL's value changes elsewhere.
  const kept = app.drawer.drafts[name];
  const draft = kept?.value === value ? kept?.text : undefined;
  const text = draft ?? value;
  const bad = text !== undefined && check(key, text);
  const against = conflict(key, new Set(queryOf(tab.url).map(([one]) => one)));
  const why = against && reason(against);
  return { value, text: text ?? "", wrong: bad ? words(key, bad) : text !== undefined && why, against: text === undefined && why };
}

export function Field({ tab, entry: key }) {
  const { name } = key;
  const { value, text, wrong, against } = read(tab, key);
  const isSet = value !== undefined;
  const words = choices(key);
  const kind = control(key);
  const isLine = kind === "text" || kind === "lines";
  const hint = against || (kind === "lines" && isSet ? t("field.lines") : isSet || !isLine ? "" : words.length ? and([...new Set([...words, key.example])]) : t("field.eg", { eg: key.example }));
  const write = (text) => {
    delete app.drawer.drafts[name];
    if (text && check(key, text)) app.drawer.drafts[name] = { text, value };
    else if (kind === "lines") {
      const values = text ? valuesOf(key, text) : [];
      tab.url = withQuery(tab.url, { [name]: values });
      // The line that the user has begun is no value yet.
      app.drawer.drafts[name] = { text: text ?? "", value: values.length ? values.join("\n") : undefined };
    } else tab.url = withQuery(tab.url, { [name]: text });
  };
  const input = act((event) => write(event.target.value || null));
  const id = `fault-${name}`;
  const shared = { id, disabled: Boolean(against), "aria-invalid": wrong ? "true" : null, "aria-describedby": `${id}-hint` };
  return html`<div class=${classes("field", isSet && !wrong && "set")}>
    <label>
      <span>${has(`key.${name}`) ? t(`key.${name}`) : name}</span>
      <span class="hint" id=${!wrong && `${id}-hint`} aria-hidden="true" title=${against || ""}>${hint}</span>
      ${kind === "switch"
        ? html`<button type="button" role="switch" class="box" aria-checked=${isSet} onClick=${act(() => write(isSet ? null : words[0] ?? ""))} ...${shared}>${words.length ? `${name}=${words[0]}` : name}<i></i></button>`
        : html`<span class="box"><span aria-hidden="true">${name}=</span>
          ${kind === "select"
            ? html`<select value=${text} onChange=${input} ...${shared}><option value="">–</option>${words.map((word) => html`<option key=${word}>${word}</option>`)}</select>`
            : kind === "lines"
              ? html`<textarea rows=${text.split("\n").length} spellcheck=${false} autocomplete="off" autocapitalize="off" value=${text} onInput=${input} ...${shared}></textarea>`
              : html`<input type="text" spellcheck=${false} autocomplete="off" autocapitalize="off" value=${text} onInput=${input} ...${shared} />`}</span>`}
    </label>
    ${canBeBare(key) && html`<button type="button" role="switch" class="box" aria-checked=${value === ""} disabled=${Boolean(against)} onClick=${act(() => write(value === "" ? null : ""))}>${t("field.bare", { name })}<i></i></button>`}
    ${wrong && html`<p id=${`${id}-hint`} class="error">${wrong}</p>`}
  </div>`;
}

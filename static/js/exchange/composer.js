// The composer: the next message, its kind, and what can be done with it.
import { session } from "../shared/browser.js";
import { bytes } from "../shared/format.js";
import { classes, Component, html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { Popover, toggle } from "../shared/popover.js";
import { act, app, changed, narrow } from "../state.js";
import { check, formatted, KINDS, read } from "./draft.js";
import { notConnected } from "./last.js";
import { saved, SavedMenu } from "./saved.js";

const KEPT = "ws-echo.draft";
const MOST = 0.4; // of the window's height, for the field

const edit = act((draft, changes) => Object.assign(draft, { error: null }, changes));

let began = false;

/** Once: takes the draft of before a reload, and the focus unless that opens a keyboard on the screen. */
function begin(draft, field) {
  if (began) return;
  began = true;
  const kept = session.json(KEPT, (value) => typeof value?.text === "string" && KINDS.includes(value.kind), {});
  if (!draft.text) edit(draft, kept);
  addEventListener("pagehide", () => {
    const { kind, text } = app.tab.draft;
    session.set(KEPT, JSON.stringify({ kind: kind === "file" ? "text" : kind, text }));
  });
  if (!matchMedia("(pointer: coarse)").matches && document.activeElement === document.body) field.focus();
}

/** Sends the draft. A text is gone then; the arrow up brings it back. */
const send = act((tab) => {
  const { draft } = tab;
  const { data, error = null } = read(draft);
  draft.error = error;
  if (error || !tab.send(data) || draft.kind === "file") return;
  draft.before = { kind: draft.kind, text: draft.text };
  draft.text = "";
});

async function take(draft, file) {
  if (file) edit(draft, { kind: "file", file: { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) } });
}

// The last check, so that a draft is read once a change and not once a frame.
let checked = {};

/** What is said of the draft: { key, vars, bad }. */
function hint(tab) {
  const { draft } = tab;
  if (tab.imported) return { key: "draft.imported" };
  if (draft.error) return { ...draft.error, bad: true };
  if (checked.text !== draft.text || checked.kind !== draft.kind) checked = { text: draft.text, kind: draft.kind, said: check(draft) };
  return checked.said ?? { key: notConnected(tab) ? "draft.notConnected" : "draft.keys" };
}

export class Composer extends Component {
  componentDidMount() {
    begin(this.props.tab.draft, this.field);
    this.fit();
  }
  componentDidUpdate() {
    this.fit();
  }
  /** Makes the field as high as its text, between the height that the user has set and 40% of the window's. */
  fit() {
    const { field } = this;
    const least = narrow() ? 0 : app.sizes.composer;
    const now = [field.value, field.type, least, app.width, innerHeight].join();
    if (this.fitted === now) return;
    this.fitted = now;
    field.style.height = "";
    if (field.type === "file" || this.props.compact) return;
    field.style.height = "0";
    field.style.height = `${Math.max(least, Math.min(field.scrollHeight + 2, innerHeight * MOST))}px`;
  }

  key = (event) => {
    const { tab } = this.props;
    const { before, text } = tab.draft;
    // The Enter that chooses a word in an input method does not send; Safari reports it with code 229 alone.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter") send(tab);
    else if (event.key === "ArrowUp" && !text && before) edit(tab.draft, before);
    else return;
    event.preventDefault();
  };

  render({ tab, compact }) {
    const { draft } = tab;
    const { file } = draft;
    const { key, vars, bad } = hint(tab);
    const submit = (event) => {
      event.preventDefault();
      send(tab);
      this.field.focus();
    };
    const drop = (event) => {
      const [dropped] = event.dataTransfer.files;
      if (!dropped) return;
      event.preventDefault();
      take(draft, dropped);
    };
    const ref = (element) => element && (this.field = element);
    const field =
      draft.kind === "file"
        ? html`<label key="file" class="field file"><input id="composer" class="hidden" type="file" ref=${ref} aria-describedby="send-hint" onChange=${(event) => take(draft, event.target.files[0])} /><span>${file ? `${file.name}, ${bytes(file.bytes.length)}` : t("draft.choose")}</span></label>`
        : html`<textarea key="text" id="composer" class=${classes("field", draft.text && "mono")} spellcheck=${false} autocomplete="off" aria-label=${t("draft.message")} placeholder=${t("draft.type")} aria-describedby="send-hint" aria-invalid=${bad ? "true" : null} ref=${ref} value=${draft.text} onInput=${(event) => edit(draft, { text: event.target.value })} onKeyDown=${this.key}></textarea>`;
    return html`<form class=${classes("composer", compact && "compact")} onSubmit=${submit} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
      ${field}
      <button type="submit" id="send" class="primary" disabled=${!tab.open}>${t("draft.send")}</button>
      ${!compact && html`<${Kinds} draft=${draft} /><${Options} tab=${tab} />`}
      <p id="send-hint" class=${bad ? "error" : "muted"} role="status" hidden=${narrow() && key === "draft.keys"}>${t(key, vars)}</p>
    </form>`;
  }
}

function Kinds({ draft }) {
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (KINDS.indexOf(draft.kind) + step + KINDS.length) % KINDS.length;
    edit(draft, { kind: KINDS[next] });
    event.currentTarget.children[next].focus();
  };
  return html`<div class="kinds" role="radiogroup" aria-label=${t("draft.kind")} onKeyDown=${move}>
    ${KINDS.map((kind) => {
      const on = kind === draft.kind;
      return html`<button type="button" role="radio" key=${kind} id=${`kind-${kind}`} class=${classes("quiet", on && "on")} aria-checked=${on} tabindex=${on ? 0 : -1} onClick=${() => edit(draft, { kind })}>${t(`draft.${kind}`)}</button>`;
    })}
  </div>`;
}

function Options({ tab }) {
  const { draft, repeat } = tab;
  const format = () => {
    const text = formatted(draft.text);
    edit(draft, text === null ? { error: { key: "draft.noJson" } } : { text });
  };
  const menu = (id, text, align, form) => html`<div class="anchor">
    <button type="button" id=${id} class="quiet" aria-haspopup="dialog" aria-expanded=${app.popover === id} onClick=${toggle(id)}>${text}</button>
    ${app.popover === id && html`<${Popover} label=${t(id)} align=${align} class=${id}>${form}<//>`}
  </div>`;
  return html`<div class="tools">
    <button type="button" id="pretty" class="quiet" disabled=${draft.kind !== "text"} onClick=${format}>${t("draft.format")}</button>
    ${menu("saved", narrow() && saved.length ? html`${t("saved.count", { n: saved.length })}${icon("chevronDown", 12)}` : t("saved"), "start", html`<${SavedMenu} draft=${draft} />`)}
    ${repeat.left ? html`<button type="button" id="repeat" class="quiet" onClick=${() => repeat.stop()}>${t("repeat.stop", { n: number(repeat.left) })}</button>` : menu("repeat", t("repeat"), narrow() ? "end" : "start", html`<${RepeatMenu} tab=${tab} />`)}
  </div>`;
}

function RepeatMenu({ tab }) {
  const { repeat } = tab;
  const start = (event) => {
    event.preventDefault();
    const { data, error } = read(tab.draft);
    app.popover = null;
    edit(tab.draft, { error });
    const { every, times } = event.target;
    Object.assign(repeat, { every: every.valueAsNumber, times: times.valueAsNumber });
    if (!error) repeat.start(data);
  };
  const field = (name, min, max) => html`<label>${t(`repeat.${name}`)}<input type="number" name=${name} id=${`repeat-${name}`} min=${min} max=${max} value=${repeat[name]} onInput=${act((event) => (repeat[name] = event.target.value))} required /></label>`;
  return html`<form onSubmit=${start}>
    <h2>${t("repeat.title")}</h2>
    <div class="pair">${field("every", 0, 3_600_000)}${field("times", 1, 1_000_000)}</div>
    <button type="submit" id="repeat-start" class="primary" disabled=${!tab.open}>${t("repeat.start")}</button>
  </form>`;
}

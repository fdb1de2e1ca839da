// The composer: the next message, its kind, and what can be done with it.
import { session } from "../shared/browser.js";
import { bytes } from "../shared/format.js";
import { classes, Component, html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { Popover, toggle } from "../shared/popover.js";
import { act, app, changed, narrow } from "../state.js";
import { check, formatted, KINDS, looksLikeJson, read } from "./draft.js";
import { notConnected } from "./last.js";
import { saved, SavedMenu } from "./saved.js";

const KEPT = "ws-echo.draft";
const MOST = 0.4; // of the window's height, for the composer

let began = false;

/** Once, when the page begins: the draft of before a reload, and the focus unless that opens a keyboard on the screen. */
function begin(tab, field) {
  if (began) return;
  began = true;
  const kept = session.json(KEPT, (value) => typeof value?.text === "string" && KINDS.includes(value.kind) && value.kind !== "file", null);
  if (kept && !tab.draft.text) Object.assign(tab.draft, { kind: kept.kind, text: kept.text });
  addEventListener("pagehide", () => {
    const { kind, text } = app.tab.draft;
    session.set(KEPT, JSON.stringify({ kind: kind === "file" ? "text" : kind, text }));
  });
  if (!matchMedia("(pointer: coarse)").matches && document.activeElement === document.body) field.focus();
  changed();
}

// The last check, so that a draft is read once a change and not once a frame.
let checked = { text: null, kind: null, said: null };
function checkOf({ kind, text }) {
  if (checked.text !== text || checked.kind !== kind) checked = { text, kind, said: check({ kind, text }) };
  return checked.said;
}

/** Sends the draft. The field is empty then; the arrow up brings the message back. */
function send(tab) {
  const { draft } = tab;
  const { data, error } = read(draft);
  draft.error = error ?? null;
  if (error || !tab.send(data) || draft.kind === "file") return;
  draft.before = { kind: draft.kind, text: draft.text };
  draft.text = "";
}

async function take(draft, file) {
  if (!file) return;
  draft.kind = "file";
  draft.error = null;
  draft.file = { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  changed();
}

/** What is said of the draft: [text, is it an error]. */
function hint(tab) {
  const { draft } = tab;
  if (tab.imported) return [t("draft.imported"), false];
  if (draft.error) return [t(draft.error.key, draft.error.vars), true];
  const said = checkOf(draft);
  if (said) return [t(said.key, said.vars && { ...said.vars, n: number(said.vars.n ?? 0) }), Boolean(said.bad)];
  if (notConnected(tab)) return [t("draft.notConnected"), false];
  return [narrow() ? "" : t("draft.keys"), false];
}

export class Composer extends Component {
  componentDidMount() {
    begin(this.props.tab, this.field);
    this.fit();
  }
  componentDidUpdate() {
    this.fit();
  }
  /** The field is as high as its text, between the height that the user has set and 40% of the window's. */
  fit() {
    const { field } = this;
    const { kind } = this.props.tab.draft;
    const text = field.value;
    const least = this.props.compact || kind === "file" || narrow() ? 0 : app.sizes.composer;
    const now = `${least} ${kind} ${app.width} ${innerHeight} ${this.props.compact}`;
    if (this.fitted === now && this.text === text) return;
    this.fitted = now;
    this.text = text;
    field.style.height = "";
    if (kind === "file" || this.props.compact) return;
    field.style.height = "0";
    field.style.height = `${Math.max(least, Math.min(field.scrollHeight + 2, innerHeight * MOST))}px`;
  }

  key = (event) => {
    const { tab } = this.props;
    const { draft } = tab;
    // The Enter that chooses a word in an input method does not send; Safari reports it with code 229 alone.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      act(send)(tab);
    } else if (event.key === "ArrowUp" && draft.text === "" && draft.before) {
      event.preventDefault();
      act(() => Object.assign(draft, draft.before))();
    }
  };

  render({ tab, compact }) {
    const { draft } = tab;
    const [said, bad] = hint(tab);
    const submit = (event) => {
      event.preventDefault();
      act(send)(tab);
      this.field.focus();
    };
    const drop = (event) => {
      if (event.dataTransfer.files.length === 0) return;
      event.preventDefault();
      take(draft, event.dataTransfer.files[0]);
    };
    const label = draft.file ? `${draft.file.name}, ${bytes(draft.file.bytes.length)}` : t("draft.choose");
    const field =
      draft.kind === "file"
        ? html`<label key="file" class="file"><input id="composer" class="hidden" type="file" ref=${(element) => element && (this.field = element)} aria-describedby="send-hint" onChange=${(event) => take(draft, event.target.files[0])} /><span>${label}</span></label>`
        : html`<textarea key="text" id="composer" class=${draft.text && "mono"} rows="1" spellcheck=${false} autocomplete="off" aria-label=${t("draft.message")} placeholder=${t("draft.type")} aria-describedby="send-hint" aria-invalid=${bad ? "true" : null} ref=${(element) => element && (this.field = element)}
            value=${draft.text} onInput=${act((event) => Object.assign(draft, { text: event.target.value, error: null }))} onKeyDown=${this.key}></textarea>`;
    return html`<form class=${classes("composer", compact && "compact")} onSubmit=${submit} onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
      ${field}
      <button type="submit" id="send" class="primary" disabled=${!tab.open}>${t("draft.send")}</button>
      ${!compact && html`<${Options} tab=${tab} />`}
      <p id="send-hint" class=${bad ? "error" : "muted"} role="status" hidden=${!said || (compact && !bad && tab.open)}>${said}</p>
    </form>`;
  }
}

function Kinds({ tab }) {
  const { draft } = tab;
  const choose = act((kind) => Object.assign(draft, { kind, error: null }));
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (KINDS.indexOf(draft.kind) + step + KINDS.length) % KINDS.length;
    choose(KINDS[next]);
    event.currentTarget.children[next].focus();
  };
  return html`<div class="kinds" role="radiogroup" aria-label=${t("draft.kind")} onKeyDown=${move}>
    ${KINDS.map((kind) => html`<button type="button" role="radio" key=${kind} id=${`kind-${kind}`} class=${classes("quiet", kind === draft.kind && "on")} aria-checked=${kind === draft.kind} tabindex=${kind === draft.kind ? 0 : -1} onClick=${() => choose(kind)}>${t(`draft.${kind}`)}</button>`)}
  </div>`;
}

function Options({ tab }) {
  const { draft, repeat } = tab;
  const format = act(() => {
    const text = formatted(draft.text);
    if (text !== null) draft.text = text;
    else draft.error = { key: looksLikeJson(draft.text) ? "draft.brokenJson" : "draft.noJson" };
  });
  return html`<${Kinds} tab=${tab} />
    <div class="tools">
      <button type="button" id="pretty" class="quiet" disabled=${draft.kind !== "text"} onClick=${format}>${t("draft.format")}</button>
      <div class="anchor"><button type="button" id="saved" class="quiet" aria-haspopup="dialog" aria-expanded=${app.popover === "saved"} onClick=${toggle("saved")}>${narrow() && saved.length > 0 ? html`${t("saved.count", { n: saved.length })}${icon("chevronDown", 12)}` : t("saved")}</button>
        ${app.popover === "saved" && html`<${Popover} label=${t("saved.title")} align="start" class="saved-menu"><${SavedMenu} tab=${tab} /><//>`}</div>
      <div class="anchor">${repeat.left > 0
        ? html`<button type="button" id="repeat" class="quiet" onClick=${() => repeat.stop()}>${t("repeat.stop", { n: number(repeat.left) })}</button>`
        : html`<button type="button" id="repeat" class="quiet" aria-haspopup="dialog" aria-expanded=${app.popover === "repeat"} onClick=${toggle("repeat")}>${t("repeat")}</button>`}
        ${app.popover === "repeat" && html`<${Popover} label=${t("repeat")} align=${narrow() ? "end" : "start"} class="repeat-menu"><${RepeatMenu} tab=${tab} /><//>`}</div>
    </div>`;
}

function RepeatMenu({ tab }) {
  const { draft, repeat } = tab;
  const start = act((event) => {
    event.preventDefault();
    const { data, error } = read(draft);
    draft.error = error ?? null;
    app.popover = null;
    if (error) return;
    const { every, times } = event.target;
    Object.assign(repeat, { every: every.valueAsNumber, times: times.valueAsNumber });
    repeat.start(data);
  });
  return html`<form onSubmit=${start}>
    <h2>${t("repeat.title")}</h2>
    <div class="pair">
      <label>${t("repeat.every")}<input type="number" name="every" id="repeat-every" min="0" max="3600000" value=${repeat.every} required /></label>
      <label>${t("repeat.times")}<input type="number" name="times" id="repeat-times" min="1" max="1000000" value=${repeat.times} required /></label>
    </div>
    <button type="submit" id="repeat-start" class="primary" disabled=${!tab.open}>${t("repeat.start")}</button>
  </form>`;
}

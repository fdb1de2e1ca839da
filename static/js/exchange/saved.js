// Messages that the user keeps for later, in the browser.
import { store } from "../shared/browser.js";
import { oneLine } from "../shared/format.js";
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { KINDS } from "./draft.js";

const KEPT = "ws-echo.saved";
const MOST = 100;

const valid = (value) => Array.isArray(value) && value.every((one) => typeof one?.text === "string" && KINDS.includes(one.mode));

/** [{ mode, text }], the newest first; `mode` is the draft's kind. */
export const saved = store.json(KEPT, valid, []);

function keep(list) {
  saved.splice(0, saved.length, ...list.slice(0, MOST));
  store.set(KEPT, JSON.stringify(saved));
}

export function SavedMenu({ draft }) {
  const use = ({ mode, text }) =>
    act(() => {
      Object.assign(draft, { kind: mode, text, error: null });
      app.popover = null;
    });
  const save = act(() => keep([{ mode: draft.kind, text: draft.text }, ...saved.filter((one) => one.text !== draft.text || one.mode !== draft.kind)]));
  return html`<div>
    <h2>${t("saved.title")}</h2>
    ${saved.length === 0 && html`<p class="muted">${t("saved.none")}</p>`}
    <ul>
      ${saved.map((one) => {
        const text = oneLine(one.text, 60);
        return html`<li key=${one.mode + one.text}>
          <button type="button" class="quiet mono" onClick=${use(one)}><span>${text}</span>${one.mode !== "text" && html`<span class="muted">${t(`draft.${one.mode}`)}</span>`}</button>
          <button type="button" class="icon-button" aria-label=${t("saved.remove", { text })} onClick=${act(() => keep(saved.filter((other) => other !== one)))}>${icon("close", 12)}</button>
        </li>`;
      })}
    </ul>
    <button type="button" id="save" disabled=${draft.kind === "file" || !draft.text} onClick=${save}>${t("saved.save")}</button>
  </div>`;
}

// A list of tabs (role=tablist): arrows move and choose, one stop for the Tab key.
import { act } from "../state.js";
import { classes, html } from "./html.js";

/** `items`: [{ id, text }]; `onChoose(id)` changes the state; `panel`: the id of the element that a tab shows. */
export function Tabs({ label, items, chosen, onChoose, panel, class: name = "" }) {
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = items.findIndex((item) => item.id === chosen);
    const next = (index + step + items.length) % items.length;
    act(onChoose)(items[next].id);
    event.currentTarget.children[next].focus();
  };
  return html`<div class=${classes("tabs", name)} role="tablist" aria-label=${label} onKeyDown=${move}>
    ${items.map(
      ({ id, text }) => html`<button type="button" role="tab" key=${id} id=${panel && `${panel}-${id}`} aria-controls=${id === chosen ? panel : null} aria-selected=${id === chosen} tabindex=${id === chosen ? 0 : -1} onClick=${act(() => onChoose(id))}>${text}</button>`,
    )}
  </div>`;
}

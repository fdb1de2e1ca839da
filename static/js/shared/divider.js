// A divider between two panes (role=separator): dragged, moved by arrows, reset by a double click. The size is kept.
import { app, changed } from "../state.js";
import { store } from "./browser.js";
import { html } from "./html.js";

const KEPT = "ws-echo.sizes";
const DEFAULTS = { ...app.sizes };
const STEP = 16; // px for an arrow key
const least = (name) => (name === "composer" ? 56 : 320);

const limited = (name, px) => {
  const most = name === "composer" ? innerHeight * 0.4 : innerWidth * 0.6;
  return Math.round(Math.max(least(name), Math.min(px, most)));
};

export function restoreSizes() {
  const valid = (value) => value !== null && typeof value === "object" && Object.values(value).every(Number.isFinite);
  Object.assign(app.sizes, store.json(KEPT, valid, {}));
}

function resize(name, px) {
  app.sizes[name] = limited(name, px);
  store.set(KEPT, JSON.stringify(app.sizes));
  changed();
}

/** `name` of app.sizes; `from`: the edge that the size is measured from, right or bottom. */
export function Divider({ name, label, from }) {
  const down = (event) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    const start = { at: from === "right" ? event.clientX : event.clientY, size: app.sizes[name] };
    const move = (moved) => resize(name, start.size + start.at - (from === "right" ? moved.clientX : moved.clientY));
    const divider = event.currentTarget;
    divider.addEventListener("pointermove", move);
    divider.addEventListener("lostpointercapture", () => divider.removeEventListener("pointermove", move), { once: true });
  };
  const key = (event) => {
    const step = { ArrowLeft: STEP, ArrowUp: STEP, ArrowRight: -STEP, ArrowDown: -STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    resize(name, app.sizes[name] + step);
  };
  return html`<div class="divider" data-from=${from} role="separator" tabindex="0" aria-label=${label} aria-orientation=${from === "right" ? "vertical" : "horizontal"}
    aria-valuenow=${app.sizes[name]} aria-valuemin=${least(name)} onPointerDown=${down} onKeyDown=${key} onDblClick=${() => resize(name, DEFAULTS[name])}></div>`;
}

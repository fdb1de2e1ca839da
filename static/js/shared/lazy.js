// Parts of the page that the first echo does not need: fetched after it, or when they are first drawn.
import { changed } from "../state.js";
import { html } from "./html.js";

const loads = [];
let held = true;

/**
 * A view that stands for the export `name` of a module. `load()` resolves to a list with the module first,
 * once its texts and its stylesheet are there too. With `place()`, which is drawn until then, it waits for fetchAll(): the
 * page can start without it.
 */
export function lazy(name, load, place = null) {
  let View = null;
  let loading = null;
  const start = () => {
    loading ??= load().then(
      ([module]) => {
        View = module[name];
        changed();
      },
      () => {
        loading = null; // the server does not answer: tried again at the next drawing
      },
    );
  };
  loads.push(start);
  return (props) => {
    if (!held || !place) start();
    return View ? html`<${View} ...${props} />` : place?.();
  };
}

/** Fetches all of them: a server that goes away takes nothing of the page with it. */
export function fetchAll() {
  held = false;
  loads.forEach((start) => start());
}

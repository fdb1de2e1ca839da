// Parts of the page that the first echo does not need: fetched after it.
import { changed } from "../state.js";
import { html } from "./html.js";

const loads = [];
let held = true;

/**
 * A view that stands for the export `name` of a module. `load()` resolves to a list with the module first,
 * once its texts and its stylesheet are there too. `place()` is drawn until then.
 */
export function lazy(name, load, place = () => null) {
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
    if (!held) start();
    return View ? html`<${View} ...${props} />` : place();
  };
}

/** Fetches all of them, and none earlier: a server that goes away takes nothing of the page with it. */
export function fetchAll() {
  held = false;
  loads.forEach((start) => start());
}

// Parts of the page that the first echo does not need: fetched when they are first drawn.
import { changed } from "../state.js";
import { html } from "./html.js";
import { addStrings } from "./i18n.js";

const loads = [];

/**
 * A view that stands for the export `name` of a module. `load()` resolves to its modules: the view's, and after it the
 * folder's texts, if they are not there yet. `place()` is drawn until then.
 */
export function lazy(name, load, place = () => null) {
  let View = null;
  let loading = null;
  const start = () => {
    loading ??= load().then(
      ([module, strings]) => {
        if (strings) addStrings(strings.default);
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
    start();
    return View ? html`<${View} ...${props} />` : place();
  };
}

/** Fetches all of them: a server that goes away takes nothing of the page with it. */
export const fetchAll = () => loads.forEach((start) => start());

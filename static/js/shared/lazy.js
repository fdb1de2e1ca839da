// Parts of the page that the first echo does not need: fetched when they are first drawn.
import { changed } from "../state.js";
import { html } from "./html.js";
import { addStrings } from "./i18n.js";

/**
 * A view that stands for the export `name` of a module. `load()` resolves to its modules: the view's, and after it the
 * folder's texts, if they are not there yet.
 */
export function lazy(name, load) {
  let View = null;
  let loading = null;
  return (props) => {
    loading ??= load().then(
      ([module, strings]) => {
        if (strings) addStrings(strings.default);
        View = module[name];
        changed();
      },
      (error) => {
        loading = null; // tried again at the next drawing: the server may be back by then
        throw error;
      },
    );
    return View && html`<${View} ...${props} />`;
  };
}

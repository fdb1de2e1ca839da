// Opens the drawer. app.drawer is { key, open, drafts }: the key whose field takes the focus, the groups that are open (null
// until the list of keys is there), and texts of fields that are no values, each with the value that the URL had then: key ->
// { text, value }.
import { faultsOf } from "../connection/faults.js";
import { app } from "../state.js";

/** The groups of these keys. */
export const groupsOf = (names) => new Set(app.keys?.keys.filter((key) => names.includes(key.name)).map((key) => key.group));

/** The groups to open first: those of the keys in the tab's URL, and of the key whose field takes the focus. */
export const firstGroups = (tab, key) => groupsOf([...faultsOf(tab.url, app.keys).map(([name]) => name), key]);

/** Opens the drawer of a tab, at a key's field if one is given. */
export function openDrawer(tab, key) {
  app.sheet = false;
  app.drawer = { drafts: {}, ...app.drawer, key, open: null };
}

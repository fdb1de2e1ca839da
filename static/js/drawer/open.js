// Opens the drawer. app.drawer is { key, open, drafts }: the key whose field takes the focus, the groups that are open,
// and texts of fields that are no values, each with the value that the URL had then: key -> { text, values }.
import { faultsOf } from "../connection/faults.js";
import { app } from "../state.js";

/** The groups of these keys. */
export const groupsOf = (names) => new Set(app.keys?.keys.filter((key) => names.includes(key.name)).map((key) => key.group));

/** Opens the drawer of a tab, at a key's field if one is given. */
export function openDrawer(tab, key) {
  const names = faultsOf(tab.url, app.keys).map(([name]) => name);
  if (key) names.push(key);
  app.sheet = false;
  app.drawer = { drafts: {}, ...app.drawer, key, open: groupsOf(names) };
}

// What is done with connection tabs as a whole: open, close.
import { app } from "../state.js";
import { Tab } from "./tab.js";

/** Opens a second connection, to the page's own server; it waits for the button Connect. */
export function newTab() {
  addTab(new Tab());
}

export function addTab(tab) {
  app.tabs.push(tab);
  app.tab = tab;
  app.popover = app.drawer = null;
}

/** Closes a tab; an open connection is closed with 1000. */
export function closeTab(tab) {
  const index = app.tabs.indexOf(tab);
  tab.dispose();
  app.tabs.splice(index, 1);
  if (app.tab === tab) app.tab = app.tabs[Math.min(index, app.tabs.length - 1)];
}

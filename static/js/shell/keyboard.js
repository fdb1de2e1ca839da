// Keys that work anywhere on the page, and what Escape closes: the topmost thing first.
import { app, changed } from "../state.js";

const steps = [
  () => app.popover && ((app.popover = null), true),
  () => app.drawer && ((app.drawer = null), true),
  () => app.sheet && ((app.sheet = false), true),
  () => app.tab.end && !app.tab.dismissed && (app.tab.dismissed = true),
  () => app.tab.find.text && ((app.tab.find.text = ""), app.tab.applyFilter(), true),
  () => (app.tab.selected || !app.tab.following) && (app.tab.follow(), true),
];

export function startKeyboard() {
  addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape" && !event.isComposing && !event.defaultPrevented) {
      if (steps.some((step) => step())) changed();
    } else if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      if (key === "k") focus(event, "#url");
      else if (key === "Enter") focus(event, "#composer");
    }
  });
}

function focus(event, selector) {
  const field = document.querySelector(selector);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select?.();
}

// The theme: the system's, light or dark. css/tokens.css reads data-theme.
import { store } from "../shared/browser.js";
import { app } from "../state.js";

const KEPT = "ws-echo.theme";
const THEMES = ["system", "light", "dark"];

export function setTheme(theme, remember = true) {
  app.theme = theme;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  if (remember) store.set(KEPT, theme);
}

export function startTheme() {
  const stored = store.get(KEPT);
  setTheme(THEMES.includes(stored) ? stored : "system", false);
}

// Starts the page: the language first, then the console, which dials at once.
import { language, onLanguage, other, setLanguage, startLanguage, t } from "./i18n.js";
import { startConsole } from "./console.js";

const lang = document.querySelector("#lang");
lang.addEventListener("click", () => setLanguage(other()));
onLanguage(() => {
  lang.textContent = t("langSwitch");
  lang.setAttribute("aria-label", t("langLabel"));
  lang.lang = language() === "zh" ? "en" : "zh-Hans";
});

startLanguage();
startConsole({ view: () => "console" });

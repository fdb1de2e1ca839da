// Starts the page: the language first, then the console, which dials at once, then the laboratory, which waits.
import { startConsole } from "./console.js";
import { $ } from "./dom.js";
import { language, onLanguage, other, setLanguage, startLanguage, t } from "./i18n.js";
import { startLab } from "./lab.js";
import { fromHash } from "./url.js";

const view = () => fromHash(location.hash).view;

function showView() {
  const now = view();
  for (const one of ["console", "lab"]) {
    $(`#${one}`).hidden = one !== now;
    if (one === now) $(`#tab-${one}`).setAttribute("aria-current", "page");
    else $(`#tab-${one}`).removeAttribute("aria-current");
  }
}

$("#lang").addEventListener("click", () => setLanguage(other()));
onLanguage(() => {
  $("#lang").textContent = t("langSwitch");
  $("#lang").setAttribute("aria-label", t("langLabel"));
  $("#lang").lang = language() === "zh" ? "en" : "zh-Hans";
});

startLanguage();
showView();
addEventListener("hashchange", showView);
const { leave } = startConsole({ view });
for (const one of ["console", "lab"]) {
  // Going from one view to the other keeps what the connect form holds, and the connection.
  $(`#tab-${one}`).addEventListener("click", (event) => {
    event.preventDefault();
    leave(one);
    showView();
  });
}
startLab();

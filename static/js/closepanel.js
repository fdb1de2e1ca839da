// Closing with a chosen code, and what a close means in plain words.
import { $, el } from "./dom.js";
import { utf8Length } from "./format.js";
import { has, onLanguage, t } from "./i18n.js";

/** The key of the words for a close code. */
export function codeKey(code) {
  if (code >= 4000 && code <= 4999) return "code.4000";
  if (code >= 3000 && code <= 3999) return "code.3000";
  return has(`code.${code}`) ? `code.${code}` : "code.other";
}

export function startClosePanel({ connection }) {
  let last = null;

  function show() {
    if (!last) return;
    const { code, reason, wasClean } = last;
    const reported = el("p", { className: "mono", textContent: t("closeReported", { code, reason: reason || t("noReason"), clean: wasClean }) });
    $("#explained").replaceChildren(reported, el("p", { textContent: t(codeKey(code)) }));
  }

  $("#close-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = Number($("#close-code").value);
    const reason = $("#close-reason").value;
    const bytes = utf8Length(reason);
    const said = (text) => $("#explained").replaceChildren(el("p", { className: "error", textContent: text }));
    if (code !== 1000 && !(code >= 3000 && code <= 4999 && Number.isInteger(code))) return said(t("closeBadCode"));
    if (bytes > 123) return said(t("closeLongReason", { n: bytes }));
    connection.close(code, reason);
  });
  onLanguage(show);
  return (detail) => {
    last = detail;
    show();
  };
}

// One check: what was seen, what it means, and what to change, by program.
import { readUrl } from "../connection/url.js";
import { CopyButton } from "../shared/copybutton.js";
import { html } from "../shared/html.js";
import { language, t } from "../shared/i18n.js";
import { Tabs } from "../shared/tabs.js";
import { app } from "../state.js";
import { Drawing } from "./drawing.js";
import { verdictIcon } from "./icons.js";
import { command } from "./report.js";
import { check, isOwn, resultOf } from "./state.js";

let program = ""; // the program whose change is shown

function Changes({ fix, known, field }) {
  // One program can have several changes.
  const programs = [...new Set(fix.map(({ where }) => where))];
  const chosen = programs.includes(program) ? program : programs[0];
  const lines = fix.filter(({ where }) => where === chosen).map(({ change }) => change).join("\n");
  return html`<section class="check-block"><h3>${t("check.change")}</h3>
    <${Tabs} label=${t("check.programs")} items=${programs.map((id) => ({ id, text: id }))} chosen=${chosen} onChoose=${(id) => (program = id)} panel="check-change" class="programs" />
    <div role="tabpanel" id="check-change" aria-labelledby=${`check-change-${chosen}`}><pre tabindex="0">${lines}</pre></div>
    <div class="check-foot"><span>${known > 0 && t("check.first", { field, value: check.named.value, where: programs[0] })}</span><${CopyButton} text=${() => lines} /></div>
  </section>`;
}

export function Detail({ words }) {
  const { name, verdict, seen, meaning, fix = [], known, field, paces = [] } = resultOf(words);
  const block = (title, text) => html`<section class="check-block"><h3>${title}</h3><p>${text}</p></section>`;
  const line = command(readUrl(check.target || app.tab.url).url ?? app.tab.url, [name]);
  const asked = verdict === "unknown" || (verdict === "broken" && !fix.length) || !isOwn(words);
  return html`<h2 class="verdict" data-verdict=${verdict}>${verdict && verdictIcon(verdict)} <b>${name}</b> ${verdict && t(`check.verdict.${verdict}`)}</h2>
    ${block(t("check.asks"), words.asks[language()])}
    ${verdict && html`<section class="check-block"><h3>${t("check.seen")}</h3><p>${seen}</p>${paces.map((one) => html`<${Drawing} ...${one} />`)}</section>`}
    ${meaning && isOwn(words) && block(t("check.means"), meaning)}
    ${fix.length > 0 && html`<${Changes} fix=${fix} known=${known} field=${field} />`}
    ${asked && html`<section class="check-block"><h3>${t("check.inTerminal")}</h3><pre tabindex="0">${line}</pre><div class="check-foot"><span></span><${CopyButton} text=${() => line} /></div></section>`}`;
}

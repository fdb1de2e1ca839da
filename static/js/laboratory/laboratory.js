// The laboratory: polling beside a WebSocket, measured between this browser and this server.
import { ownUrl } from "../connection/url.js";
import { Divider } from "../shared/divider.js";
import { clock } from "../shared/format.js";
import { html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { icon } from "../shared/icons.js";
import { act, app, wide } from "../state.js";
import { compare, overhead } from "./cost.js";
import { Figures, ms, sizeText } from "./figures.js";
import { HEIGHT, isPush, lines, SAMPLES, spans, thickness, WIDTH } from "./lanes.js";
import { lab, measure, seconds, stop } from "./state.js";

const SIZES = [16, 1024, 16384, 262144]; // B
const STEPS = [0, 1, 2, 3, 4, 5]; // of an axis

function Form() {
  const { form, run, done } = lab;
  const submit = act((event) => {
    event.preventDefault();
    if (run) return stop();
    for (const name of ["times", "every"]) form[name] = event.target.elements[`lab-${name}`].valueAsNumber;
    if (!form.sizes.length) form.sizes = [SIZES[0]];
    measure(() => (lab.done ? headline().join(" ") : lab.failed));
  });
  const field = (name, unit) => html`<label>${t(`lab.${name}Field`)}
    <span class="unit"><input id=${`lab-${name}`} type="number" min="10" max="10000" required value=${form[name]} style=${{ inlineSize: unit && `${String(form[name]).length + 0.2}ch` }} disabled=${Boolean(run)} onInput=${act((event) => (form[name] = event.target.value))} />${unit}</span></label>`;
  const size = (size) => html`<label class="check" key=${size}><input type="checkbox" name="lab-size" value=${size} checked=${form.sizes.includes(size)} disabled=${Boolean(run)}
    onChange=${act(({ target }) => (form.sizes = SIZES.filter((one) => (one === size ? target.checked : form.sizes.includes(one)))))} />${sizeText(size)}</label>`;
  return html`<form class="lab-form" aria-label=${t("lab.run")} onSubmit=${submit}>
    ${field("times")}
    <div role="group" aria-labelledby="lab-sizes"><span id="lab-sizes">${t("lab.sizes")}</span>${SIZES.map(size)}</div>
    ${field("every", html`<span>ms</span>`)}
    <span class="lab-note">${done && t("lab.measured", { url: ownUrl(document.baseURI), time: clock(done.at).slice(0, 8), took: number(done.took / 1000, 1) })}</span>
    <button type="submit" id="lab-run" class=${run ? "" : "primary"}>${t(run ? "lab.stop" : done ? "lab.again" : "lab.run")}</button>
  </form>`;
}

/** The result in two lines, for the smallest size. */
function headline() {
  const [poll, ws] = lab.series;
  const { times, slower, fewer } = compare(poll, ws);
  const short = (n) => number(n, n < 10 ? 1 : 0);
  return [t(slower ? "lab.slower" : "lab.faster", { n: short(times), m: short(fewer) }), t("lab.than", { size: sizeText(ws.size) })];
}

function Headline() {
  const { run, series, done, failed } = lab;
  if (run) {
    const now = series.at(-1);
    const how = now && (isPush(now) ? t(`lab.${now.kind}`) : t("lab.ofSize", { how: t(`lab.${now.kind}`), size: sizeText(now.size) }));
    return html`<h2>${now ? t("lab.running", { how, n: number(now.exchanges.length), of: number(now.times) }) : t("lab.begins")}</h2>`;
  }
  const broken = failed && html`<p class="error">${t("lab.failed", { error: failed })}</p>`;
  if (!done) return html`<h2>${t("lab.question")}</h2><p>${t("lab.intro", { n: number(seconds()) })}</p>${broken}`;
  const [first, second] = headline();
  return html`<h2><span>${first}</span> ${second}</h2>${broken}`;
}

/** One series of labrun.js, or a `sample` of one, over `span` ms. */
function Lane({ series, sample, span, width, first }) {
  const { kind, cost, median } = series;
  const { up, down, count } = lines(series, span);
  const name = t(`lab.${kind}`);
  const note = median === undefined ? "" : t(isPush(series) ? "lab.pushNote" : "lab.exchangeNote", { took: ms(median), bytes: number(overhead(cost)) });
  const within = span === 1000 ? t("lab.second") : t("lab.first", { span });
  const line = (d, direction) => d && html`<path d=${d} class=${direction} style=${{ strokeWidth: cost && `${width(cost[direction])}px` }} />`;
  return html`<figure class="lane">
    <figcaption><b>${name}</b> <span>${note}</span>${!sample && first && html`<span>${within}</span>`}</figcaption>
    <div class="ends" aria-hidden="true"><span>${t("lab.client")}</span><span>${t("lab.server")}</span></div>
    <div class="track" role="img" aria-label=${sample ? name : t("lab.said", { name, n: count, within, note })}>
      <svg class=${sample ? "sample" : ""} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">${line(up, "up")}${line(down, "down")}</svg>
      ${!sample && html`<div class="axis" aria-hidden="true">${STEPS.map((step) => html`<span key=${step} style=${{ insetInlineStart: `${step * 20}%` }}><span>${(step * span) / 5}${step === 5 ? " ms" : ""}</span></span>`)}</div>`}
    </div>
  </figure>`;
}

function Lanes() {
  const sample = !lab.series;
  const all = lab.series ?? SAMPLES;
  const { exchange, push } = spans(all);
  // Of each kind the first, which is the smallest size.
  const shown = SAMPLES.map(({ kind }) => all.find((one) => one.kind === kind) ?? { kind, exchanges: [] });
  const width = thickness(shown.flatMap(({ cost }) => cost ?? []));
  return html`<div id="lab-sequence">
    ${shown.map((series, i) => html`<${Lane} key=${series.kind} series=${series} sample=${sample} span=${isPush(series) ? push : exchange} width=${width} first=${i % 2 === 0} />`)}
  </div>
  ${!sample && html`<p class="legend">${icon("up", 12)} <b>${t("lab.upward")}</b>${t("list.and")}${icon("down", 12)} <b>${t("lab.downward")}</b>${t("lab.legend")}</p>`}`;
}

const Promise = () => html`<h2>${t("lab.get")}</h2>${["one", "two", "three", "four"].map((one) => html`<div class="promise" key=${one}><h3>${t(`lab.get.${one}`)}</h3><p>${t(`lab.get.${one}.text`)}</p></div>`)}`;

export function Laboratory() {
  const size = lab.series ? "lab" : "labEmpty";
  return html`<${Form} />
    <div class="clip"><div class="lab-work" style=${{ "--side": `${app.sizes[size]}px` }}>
      <div class="clip"><section class="lab-main" aria-label=${t("lab.get.two")} tabindex="0" data-pane><div class="lab-head"><${Headline} /></div><${Lanes} /></section></div>
      ${wide() && html`<${Divider} name=${size} label=${t("divider.lab")} from="right" />`}
      <div class="clip side"><section class="lab-side" aria-label=${t("lab.figures")} tabindex="0" data-pane>${lab.done ? html`<${Figures} />` : html`<${Promise} />`}</section></div>
    </div></div>`;
}

// The laboratory's face: what to measure, and what came of it as a diagram, tables, bars, Markdown and JSON.
import { CLASSIC, CLIENTS, markdown, mbits, overhead } from "./cost.js";
import { $, copy, download, el, number } from "./dom.js";
import { bytes, millis } from "../shared/format.js";
import { language, onLanguage, t } from "./i18n.js";
import { runLab } from "./labrun.js";
import { svg } from "./plot.js";
import { ticks } from "./stats.js";

const DRAWN = 5; // exchanges in the diagram
const PUSHES = 20;

const decimal = (n, digits = 2) => new Intl.NumberFormat(language() === "zh" ? "zh-CN" : "en", { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(n);
const name = (r) => t(`lab.${r.kind}`);
const push = (r) => r.kind === "tick" || r.kind === "sse";

function resultRows(results) {
  const head = ["lab.how", "lab.payload", "lab.times", "median", "p99", "lab.perSecond", "lab.up", "lab.down", "lab.overhead"].map((key) => (key === "p99" ? key : t(key)));
  const rows = results.map((r) => [name(r), bytes(r.size), number(r.times), millis(r.median), millis(r.p99), decimal(r.perSecond, 0), number(r.cost.up), number(r.cost.down), number(overhead(r.cost))]);
  return [head, ...rows];
}

function classicRows(results) {
  const smallest = (kind) => results.filter((r) => r.kind === kind).reduce((a, b) => (b.size < a.size ? b : a));
  const [poll, ws] = [overhead(smallest("poll").cost), overhead(smallest("ws").cost)];
  const head = [t("lab.clients"), t("lab.pollNow", { n: number(poll) }), t("lab.wsNow", { n: number(ws) }), t("lab.poll2010", { n: CLASSIC.poll }), t("lab.ws2010", { n: CLASSIC.ws })];
  const rows = CLIENTS.map((n) => [number(n), ...[poll, ws, CLASSIC.poll, CLASSIC.ws].map((cost) => `${decimal(mbits(n, cost))} Mbit/s`)]);
  return [head, ...rows];
}

function table([head, ...rows], caption) {
  const line = (cells, tag) => el("tr", {}, ...cells.map((cell, i) => el(i || tag === "th" ? tag : "th", { textContent: cell, scope: tag === "th" ? "col" : i ? "" : "row" })));
  return el("table", {}, el("caption", { textContent: caption }), el("thead", {}, line(head, "th")), el("tbody", {}, ...rows.map((row) => line(row, "td"))));
}

/** Two lanes, time downward, an arrow for whatever crossed between them, at the times that were measured. */
function sequence(result, span) {
  const [W, H, TOP] = [296, 280, 32];
  const some = result.exchanges.slice(-DRAWN);
  const begin = some[0].sent ?? some[0].received;
  const y = (at) => TOP + 8 + ((H - TOP - 16) * (at - begin)) / span;
  const [client, server] = [72, W - 48];
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot sequence", "aria-hidden": "true" });
  for (const mark of ticks(span, 4).filter((mark) => mark <= span)) {
    root.append(svg("text", { x: client - 10, y: y(begin + mark) + 3, "text-anchor": "end" }, mark ? millis(mark) : "0"));
    root.append(svg("line", { x1: client - 6, x2: client, y1: y(begin + mark), y2: y(begin + mark), class: "gridline" }));
  }
  for (const [x, key] of [[client, "lab.client"], [server, "lab.server"]]) {
    root.append(svg("line", { x1: x, x2: x, y1: TOP, y2: H, class: "lane" }));
    root.append(svg("text", { x, y: 20, "text-anchor": "middle" }, t(key)));
  }
  const arrow = (x1, y1, x2, y2, kind) => {
    const back = x2 < x1 ? 1 : -1;
    root.append(svg("line", { x1, y1, x2, y2, class: kind }));
    root.append(svg("path", { d: `M${x2} ${y2}l${7 * back} -3v6z`, class: `${kind} head` }));
  };
  for (const { sent, received } of some) {
    if (sent === undefined) {
      arrow(server, y(received), client, y(received), "down");
      continue;
    }
    // The server's stamp has whole milliseconds: too coarse to draw. Half of the round trip is what is known best.
    const middle = (sent + received) / 2;
    arrow(client, y(sent), server, y(middle), "up");
    arrow(server, y(middle), client, y(received), "down");
  }
  return root;
}

function span(result) {
  const some = result.exchanges.slice(-DRAWN);
  return some.at(-1).received - (some[0].sent ?? some[0].received);
}

function bars(results, value, format) {
  const most = Math.max(...results.map(value));
  return el("div", { className: "bars" }, ...results.map((r) => {
    const fill = el("i");
    fill.style.inlineSize = `${Math.max(0.5, (100 * value(r)) / most)}%`;
    fill.dataset.kind = r.kind;
    return el("div", {}, el("span", { textContent: `${name(r)}, ${bytes(r.size)}` }), el("b", { ariaHidden: "true" }, fill), el("span", { className: "num", textContent: format(value(r)) }));
  }));
}

export function startLab() {
  let results = null;
  let running = null;
  let failed = "";

  function show() {
    $("#lab-run").textContent = t(running ? "lab.stop" : "lab.run");
    $("#lab-error").textContent = failed && t("lab.failed", { error: failed });
    $("#lab-results").hidden = !results;
    $("#lab-empty").hidden = Boolean(results);
    if (!results) return;
    const smallest = results[0].size;
    const shown = results.filter((r) => push(r) || r.size === smallest);
    const same = Math.max(...shown.filter((r) => !push(r)).map(span));
    const said = (r) => t(push(r) ? "lab.pushSaid" : "lab.exchangeSaid", { n: Math.min(DRAWN, r.exchanges.length), how: name(r), took: millis(span(r)) });
    $("#lab-sequence").replaceChildren(...shown.map((r) => {
      const box = el("div", { role: "img", ariaLabel: said(r) }, sequence(r, push(r) ? span(r) || 1 : same));
      return el("figure", {}, el("figcaption", { textContent: name(r) }), box, el("p", { className: "hint", textContent: said(r) }));
    }));
    $("#lab-table").replaceChildren(table(resultRows(results), t("lab.tableCaption")));
    const exchanges = results.filter((r) => !push(r));
    $("#lab-bars").replaceChildren(
      el("h3", { textContent: t("lab.barsRtt") }), bars(exchanges, (r) => r.median, millis),
      el("h3", { textContent: t("lab.barsOverhead") }), bars(results.filter((r) => push(r) || r.size === smallest), (r) => overhead(r.cost), (n) => `${number(n)} B`),
    );
    $("#lab-classic").replaceChildren(table(classicRows(results), t("lab.classicCaption")));
  }

  $("#lab-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return running.abort();
    running = new AbortController();
    failed = "";
    const sizes = [...document.querySelectorAll("[name=lab-size]:checked")].map((box) => Number(box.value));
    const bar = $("#lab-progress");
    bar.hidden = false;
    show();
    try {
      const wanted = { times: Number($("#lab-times").value), sizes: sizes.length ? sizes : [16], every: Number($("#lab-every").value), pushes: PUSHES };
      results = await runLab(wanted, (done, of) => {
        bar.max = of;
        bar.value = done;
      }, running.signal);
    } catch (error) {
      if (!running.signal.aborted) failed = error.message;
    }
    running = null;
    bar.hidden = true;
    show();
  });
  $("#lab-markdown").addEventListener("click", (event) => {
    copy(`${markdown(resultRows(results))}\n\n${t("lab.leftOut")}\n\n${markdown(classicRows(results))}\n`, event.target);
  });
  $("#lab-json").addEventListener("click", () => {
    const json = { measuredAt: new Date().toISOString(), page: location.origin, results, leftOut: ["TLS", "TCP", "IP"], classic2010: CLASSIC };
    download("ws-echo-lab.json", "application/json", [JSON.stringify(json, null, 2)]);
  });
  onLanguage(show);
  show();
}

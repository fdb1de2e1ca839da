// One row in full: as text, as a tree of JSON, in hex, as frames. All of it from the wire, so all of it as text nodes.
import { noteText } from "../log/notes.js";
import { splitStamp } from "../log/pending.js";
import { shape } from "../log/shapes.js";
import { download } from "../shared/browser.js";
import { hexDump } from "../shared/bytes.js";
import { bytes as size, clock, hexLine, millis, oneLine, utf8Length } from "../shared/format.js";
import { CopyButton } from "../shared/copybutton.js";
import { html } from "../shared/html.js";
import { icon } from "../shared/icons.js";
import { language, number, t } from "../shared/i18n.js";
import { Tabs } from "../shared/tabs.js";
import { act, app, narrow, wide } from "../state.js";
import { jsonIn, partsOf } from "./content.js";
import { FrameView } from "./frame.js";
import { block, facts, kept, muted, seen, span } from "./parts.js";
import { wayPlot } from "./plot.js";
import { bytesOf, choose, nameOf, neighbour, rowLink, shownRow, wayOf } from "./rows.js";
import { Tree } from "./tree.js";

const TEXT = 65_536; // characters shown
const BYTES = 16_384; // bytes shown in hex
const JSON_MOST = 4_194_304; // characters that are read as JSON
const LINE = 80; // characters of a part of a reply
const VIEWS = ["text", "json", "hex", "frame"];

const decoder = new TextDecoder();

/** What is said of a row under its title: its time, and the other half of its exchange. */
function When({ tab, row, way }) {
  const time = clock(row.at);
  const [before, after = ""] = (() => {
    if (row.data === null) return [time];
    if (row.kind === "received") return row.pair ? t("row.answers", { time }).split("{link}") : [t("row.unasked", { time })];
    const came = way ? t("row.came", { time, out: span(way.out) }) : time;
    return row.pair ? t("row.answered", { time: came }).split("{link}") : [t("row.unanswered", { time: came })];
  })();
  return html`<p class="muted">${before}${row.pair && row.data !== null && rowLink(tab, row.pair)}${after}</p>`;
}

export function MessageView({ tab }) {
  const row = shownRow(tab);
  if (!row) return html`<${Nothing} tab=${tab} />`;
  const views = row.data !== null ? VIEWS : row.server ? ["text", "frame"] : [];
  const type = row.type || "text";
  const as = views.includes(app.as[type]) ? app.as[type] : "text";
  const way = wayOf(tab, row);
  const [previous, next] = [-1, 1].map((step) => neighbour(tab, row, step));
  const step = (name, to, label) => html`<button type="button" class="icon-button" aria-label=${t(label)} title=${t(label)} disabled=${!to} onClick=${choose(tab, to)}>${icon(name)}</button>`;
  const text = () => (row.data === null ? noteText(row) : typeof row.data === "string" ? row.data : hexDump(row.data));
  return html`
    <section class="block message">
      <div class="block-head title"><h2 class=${row.kind}>${shape(row.kind, 14)} ${nameOf(row)}</h2><span class="steps">${step("chevronUp", previous, "row.previous")}${step("chevronDown", next, "row.next")}</span></div>
      <${When} tab=${tab} row=${row} way=${way} />
      <div class="ways">
        ${views.length > 0 && html`<${Tabs} label=${t("as")} class="choices" panel="message-panel" items=${views.map((id) => ({ id, text: t(`as.${id}`) }))} chosen=${as} onChoose=${(id) => (app.as[type] = id)} />`}
        <${CopyButton} text=${text} />
      </div>
      <div id="message-panel" role=${views.length > 0 ? "tabpanel" : null} aria-labelledby=${views.length > 0 ? `message-panel-${as}` : null}>
        ${as === "frame" ? html`<${FrameView} tab=${tab} row=${row} lead />` : html`<${Body} key=${`${row.id} ${as}`} row=${row} as=${as} />`}
      </div>
    </section>
    ${as === "frame" && html`<${FrameView} tab=${tab} row=${row} />`}
    ${as === "text" && html`<${Made} row=${row} /><${Way} way=${way} /><${AtServer} row=${row} />`}
  `;
}

/** The content in one of its views. It is made once for a row, however often the page is drawn. */
function Body({ row, as }) {
  const key = `${as} ${language()} ${perLine()}`;
  return kept(row, key, () => (row.data === null ? html`<p>${noteText(row)}</p>` : as === "json" ? json(row) : as === "hex" ? hex(row) : text(row)));
}

function text(row) {
  const [body, stamp] = splitStamp(row);
  const whole = typeof body === "string" ? body : decoder.decode(body.subarray(0, TEXT));
  const cut = row.size > TEXT && whole.length >= TEXT ? whole.slice(0, TEXT).replace(/[\ud800-\udbff]$/, "") : whole;
  const shown = typeof body === "string" ? utf8Length(cut) : TEXT;
  const all = cut === whole && (typeof body === "string" || body.length <= TEXT);
  const end = all && stamp && (typeof stamp === "string" ? stamp : hexLine(stamp));
  return html`<pre class="wrapped">${seen(cut)}${end && html`<span class="stamp">${end}</span>`}</pre>${!all && html`<${Cut} row=${row} shown=${shown} />`}`;
}

/** Bytes in a line of the hex dump: sixteen need a wide inspector. */
const perLine = () => (wide() && app.sizes.inspector >= 640 ? 16 : 8);

function hex(row) {
  const bytes = bytesOf(row);
  return html`<pre>${hexDump(bytes, 0, BYTES, perLine())}</pre>${bytes.length > BYTES && html`<${Cut} row=${row} shown=${BYTES} />`}`;
}

function json(row) {
  const whole = typeof row.data === "string" ? row.data : decoder.decode(row.data);
  const value = whole.length > JSON_MOST ? undefined : jsonIn(whole);
  if (value === undefined) return html`<p class="muted">${t(whole.length > JSON_MOST ? "json.long" : "json.none", { size: size(JSON_MOST) })}</p>`;
  return html`<${Tree} value=${value} open />`;
}

function Cut({ row, shown }) {
  const file = typeof row.data === "string" ? ["message.txt", "text/plain"] : ["message.bin", "application/octet-stream"];
  return html`<p class="muted note">${t("cut.shown", { shown: size(shown), total: size(row.size) })} <button type="button" class="link" onClick=${() => download(...file, [row.data])}>${t("cut.download")}</button></p>`;
}

/** How the server made a reply. */
function Made({ row }) {
  const parts = partsOf(row);
  if (!parts) return null;
  const { prefix, message, clock: stamp } = parts;
  const part = (value, name = "mono") => {
    if (value === null) return null;
    const text = typeof value === "string";
    return html`<span class=${name}>${text ? oneLine(value, LINE) : hexLine(value, LINE / 4)}</span> ${muted(size(text ? utf8Length(value) : value.length))}`;
  };
  const ms = row.stamp;
  const day = ms && new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  const moment = day > 0 && `${day.toISOString().slice(0, 10)} ${clock(ms)}`;
  return block(t("made"), null, facts([[t("made.prefix"), prefix !== "" && part(prefix)], [t(message === null ? "made.unasked" : "made.message"), message === null ? t("made.itself") : part(message)], [t("made.clock"), part(stamp ?? (ms && String(ms)), "mono stamp")], [t("made.that"), moment]]));
}

/** The exchange's way between the two clocks. */
function Way({ way }) {
  if (!way) return null;
  const vars = { out: millis(way.out), back: millis(way.back), hold: millis(way.hold), y: millis(way.uncertainty) };
  return block(t("way"), html`<span>${t("way.rtt", { rtt: millis(way.rtt) })}</span>`, wayPlot(way, [t("way.browser"), t("way.server")], t(way.hold ? "way.held" : "way.label", vars), vars));
}

const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
const nth = (n) => (language() === "zh" ? number(n) : number(n) + ENDINGS[ordinals.select(n)]);

/** What the server's view tells of the row. */
function AtServer({ row }) {
  const { server } = row;
  if (!server?.frames?.length) return null;
  const { name, masked, compressed, length, headers, count, number: place } = server;
  const type = t(`type.${name}`) === `type.${name}` ? name : t(`type.${name}`);
  const frame = [count > 1 ? t("frame.count", { n: number(count) }) : "FIN", type, t(masked ? "frame.masked" : "frame.unmasked"), t(compressed ? "frame.compressed" : "frame.uncompressed")];
  return block(t("at"), null, facts([
    [t("at.frame"), frame.join(t("log.comma"))],
    [t("at.wire"), t("at.bytes", { all: size(length + headers), header: size(headers), payload: size(length) })],
    [t("at.message"), place > 0 && t("at.number", { nth: nth(place) })],
  ]));
}

/** Nothing is chosen and nothing has come: what the page can do. */
function Nothing({ tab }) {
  const offer = (name, action) => html`<section class="block offer"><h2>${t(`offer.${name}`)}</h2><p class="muted">${t(`offer.${name}.text`)}</p>${action}</section>`;
  const link = (text, action) => html`<button type="button" class="link" onClick=${act(action)}>${t(text)}</button>`;
  return html`
    <section class="block message"><h2 class="title">${t("nothing")}</h2><p class="muted">${t("nothing.text")}</p></section>
    ${tab.ours && !tab.watched && !tab.imported && offer("wire", link("offer.wire.link", () => tab.watch(true)))}
    ${!tab.imported && !narrow() && offer("fault", link("fault", () => (app.drawer = {})))}
    ${offer("lab", html`<a href="#lab">${t("offer.lab.link")}</a>`)}
  `;
}

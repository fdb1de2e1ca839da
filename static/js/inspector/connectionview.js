// The connection: how it ended, what the server has of it, its handshake and its limits.
import { ServerView } from "../connection/watch.js";
import { endsByItself, protocolList, queryOf } from "../connection/url.js";
import { pairText } from "../connection/faults.js";
import { CopyButton } from "../shared/copybutton.js";
import { bytes as size, clock, millis } from "../shared/format.js";
import { html } from "../shared/html.js";
import { has, number, t } from "../shared/i18n.js";
import { act, app } from "../state.js";
import { clientField, compare, response, sent, windows } from "./headers.js";
import { block, facts, kept, muted, Unwatched } from "./parts.js";

const join = (...texts) => texts.filter(Boolean).join(t("log.comma"));

/** A close code's name in the registry of RFC 6455, section 7.4. */
function codeName(code) {
  const key = `code.${code}`;
  if (has(key)) return t(key);
  return code >= 4000 ? t("code.4000") : code >= 3000 ? t("code.3000") : "";
}

function closedBy({ close, opened, wasClean, answers }) {
  if (close) return t(!opened ? "end.early" : wasClean ? "end.page" : "end.pageOnly");
  if (opened) return t(wasClean ? "end.server" : "end.nobody");
  return t(answers ? "end.http" : answers === false ? "end.absent" : "end.unknown");
}

function End({ tab }) {
  const { end } = tab;
  if (!end || tab.open) return null;
  const { code, reason, wasClean, opened } = end;
  const asked = opened || end.close ? [] : queryOf(tab.used.url).filter(([key]) => endsByItself(`ws://h/?${encodeURIComponent(key)}`));
  const time = (ms) => ms && clock(ms);
  const theirs = tab.view.end;
  return block(t("ended"), null, facts([
    [t("end.code"), html`${code} ${muted(codeName(code))}`],
    [t("end.reason"), reason || muted(t("none"))],
    ["wasClean", String(wasClean)],
    [t("end.by"), closedBy(end)],
    [t("end.asked"), asked.length > 0 && html`<code>${asked.map(pairText).join(" ")}</code>`],
    [t("end.took"), !opened && millis(end.took)],
    [t("end.sent"), opened && time(end.lastSent)],
    [t("end.received"), opened && time(end.lastReceived)],
    [t("end.theirs"), theirs && join(theirs.code, theirs.reason || t(theirs.by === "peer" ? "end.client" : "way.server"))],
  ]));
}

/** What a page knows of its handshake without the server's view. */
function OwnHandshake({ tab }) {
  const { opened, end, imported } = tab;
  if (imported) return block(t("handshake.title"), null, html`<p class="muted">${t("handshake.imported", { name: imported })}</p>`);
  const refused = end && !end.opened && !end.close;
  if (refused) return block(t("handshake.title"), null, html`<p class="muted">${t("handshake.refused")}</p>`);
  if (!opened) return block(t("handshake.title"), null, html`<p class="muted">${t("handshake.none")}</p>`);
  return block(t("handshake.title"), null,
    facts([[t("end.took"), millis(opened.took)], [t("handshake.protocol"), opened.protocol || muted(t("none"))], [t("handshake.extensions"), opened.extensions || muted(t("none"))]]),
    html`<${Unwatched} tab=${tab} text=${tab.view.on ? "handshake.missing" : "handshake.hidden"} />`);
}

function AtServer({ handshake }) {
  const { client, peer, httpVersion, tls, subprotocol, extensions } = handshake;
  const named = clientField(handshake);
  const secure = tls ? t("tls.own", { version: tls.version, cipher: tls.cipherSuite }) : t(client?.proto === "https" || location.protocol === "https:" ? "tls.before" : "tls.none");
  const bits = windows(extensions);
  return block(t("has"), null, facts([
    [t("has.client"), named ? t("has.by", { address: client.address, field: named }) : client?.address ?? peer],
    [t("has.peer"), named ? t("has.proxy", { peer }) : peer],
    ["HTTP, TLS", t("has.http", { version: httpVersion, tls: secure })],
    [t("handshake.protocol"), subprotocol || muted(t("none"))],
    [t("has.compression"), bits ? join(t("has.windows", { server: bits[0], client: bits[1] }), /no_context_takeover/.test(extensions) && t("has.takeover")) : muted(t("none"))],
    [t("has.number"), t("has.log", { n: handshake.connection })],
  ], "facts close"));
}

const HIDDEN = /^\(hidden, (\d+) bytes\)$/;

/** One side of the handshake; fields that every browser or response has stand there only if all are shown. */
function side({ line, fields }) {
  const mark = ({ mark, was }) => mark && html` <span class="muted way-mark">${t(`head.${mark}`, { was })}</span>`;
  const value = (text) => {
    const hidden = HIDDEN.exec(text);
    return hidden ? muted(t("head.hidden", { n: hidden[1] })) : text;
  };
  return html`<div class="head-lines"><p><b>${line.text}</b>${line.was && mark({ mark: "changed", was: line.was })}</p>
    ${fields.filter(({ telling }) => telling || app.allHeaders).map((field) => html`<p>${field.name}: ${field.mark === "removed" ? html`<s>${field.value}</s>` : value(field.value)}${mark(field)}</p>`)}</div>`;
}

const plain = ({ line, headers }) => `${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;

function Handshake({ tab, handshake }) {
  const { request, response: answer } = handshake;
  const own = sent({ url: tab.used.url, protocols: protocolList(tab.used.protocols), origin: location.origin });
  const [asked, answered] = kept(handshake, tab.used.url, () => [compare(request, own), response(answer)]);
  const hidden = [...asked.fields, ...answered.fields].filter(({ telling }) => !telling).length;
  const omitted = request.omitted + answer.omitted;
  return block(t("wire.title"), html`<${CopyButton} plain text=${() => plain(request) + plain(answer)} />`,
    side(asked),
    hidden > 0 && html`<button type="button" class="link" aria-expanded=${app.allHeaders} onClick=${act(() => (app.allHeaders = !app.allHeaders))}>${app.allHeaders ? t("head.fewer") : t("head.more", { n: hidden })}</button>`,
    side(answered),
    (!request.verbatim || omitted > 0) && html`<p class="muted note">${join(!request.verbatim && t("head.loose"), omitted > 0 && t("head.omitted", { n: number(omitted) }))}</p>`);
}

const seconds = (ms) => (ms < 1000 ? `${ms} ms` : `${number(ms / 1000, ms % 1000 ? 1 : 0)} s`);

function Limits({ limits }) {
  const { maxMessageSize, maxFragments, maxMessagesPerSecond, pingIntervalMs, idleTimeoutMs, stallTimeoutMs } = limits;
  const sized = maxMessageSize ? size(maxMessageSize) : t("limits.any");
  return block(t("limits.title"), null, facts([
    [t("limits.message"), maxFragments ? t("limits.frames", { size: sized, n: number(maxFragments) }) : sized],
    [t("limits.rate"), maxMessagesPerSecond && t("limits.perSecond", { n: number(maxMessagesPerSecond) })],
    [t("limits.idle"), t("limits.both", { idle: idleTimeoutMs ? t("limits.then", { time: seconds(idleTimeoutMs) }) : t("limits.none"), ping: pingIntervalMs ? t("limits.ping", { time: seconds(pingIntervalMs) }) : t("limits.noPing") })],
    [t("limits.stalled"), stallTimeoutMs ? t("limits.reset", { time: seconds(stallTimeoutMs) }) : t("limits.none")],
  ], "facts close"));
}

function Key({ tab }) {
  const key = tab.used && queryOf(tab.used.url).find(([name]) => name === "watch")?.[1];
  if (!key || !tab.view.on) return null;
  const url = ServerView.url(key);
  return block(t("key.title"), null, facts([[t("key.key"), html`<code>${key}</code>`], [t("key.stream"), html`<a href=${url} target="_blank" rel="noopener"><code>${url}</code></a>`]], "facts close"));
}

export function ConnectionView({ tab }) {
  const { handshake } = tab.view;
  return html`
    <${End} tab=${tab} />
    ${handshake?.request ? html`<${AtServer} handshake=${handshake} /><${Handshake} tab=${tab} handshake=${handshake} /><${Limits} limits=${handshake.limits} />` : html`<${OwnHandshake} tab=${tab} />`}
    <${Key} tab=${tab} />
  `;
}

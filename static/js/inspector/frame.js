// The frames of a message, bit by bit (RFC 6455, section 5.2).
import { shape } from "../log/shapes.js";
import { bytes as size, hexLine } from "../shared/format.js";
import { Component, classes, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";
import { narrow } from "../state.js";
import { dump, framesOf } from "./frames.js";
import { block, facts, muted, seen, span, Unwatched } from "./parts.js";
import { bytesOf, nameOf, neighbour, rowLink } from "./rows.js";

const FRAMES = 20; // of one message, and again with each click
const INFLATED = 512; // characters of the content shown
const FLAGS = ["FIN", "RSV1", "RSV2", "RSV3"];

const decoder = new TextDecoder();

/** A byte, a cell a bit, and the names beneath: [[name, value, bits, is it set]]. */
function byteRow(bits, names) {
  const label = names.map(([name, value]) => `${name}${value === undefined ? "" : ` ${value}`}`).join("; ");
  return html`<div class="bits" role="img" aria-label=${`${bits.join("")}: ${label}`}>
    ${bits.map((bit) => html`<b class=${bit ? "one" : "zero"}>${bit}</b>`)}
    ${names.map(([name, value, width, set]) => html`<span style=${{ gridColumn: `span ${width}` }} class=${set ? null : "muted"}>${value === undefined ? name : html`<span class="muted">${name}${t("log.comma")}</span>${value}`}</span>`)}
  </div>`;
}

function header({ rows: [first, second], opcode, name, short, length, masked }) {
  const flags = FLAGS.map((flag, i) => [flag, undefined, 1, first[i] === 1]);
  const known = short < 126 ? size(length) : t("frame.longer", { n: short, bytes: short === 126 ? 2 : 8 });
  return html`${byteRow(first, [...flags, [t("frame.opcode", { n: opcode }), name ?? t("frame.reserved"), 4, true]])}
    ${byteRow(second, [["MASK", undefined, 1, masked], [t("frame.length"), known, 7, true]])}`;
}

function meanings({ fin, rsv1, rsv2, rsv3, extended, overlong, length, key }, { index, of }) {
  const last = of === 1 ? "frame.only" : fin ? "frame.last" : "frame.more";
  const reserved = ["RSV2", "RSV3"].filter((_, i) => [rsv2, rsv3][i]).join(", ");
  return facts([
    [t("frame.extended"), extended && html`<span class="mono">${extended}</span> ${muted(`${size(length)}${overlong ? `${t("log.comma")}${t("frame.overlong")}` : ""}`)}`],
    [t("frame.key"), key && html`<span class="mono">${key}</span>`],
    ["FIN", t(index === 0 || of === 1 || !fin ? last : "frame.last")],
    ["RSV1", rsv1 && t("frame.rsv1")],
    [reserved, reserved && t("frame.rsv")],
  ], "facts close");
}

/** The start of a payload in hex, offsets muted. */
const hex = (bytes) => html`<pre class="dump">${dump(bytes, narrow() ? 8 : 16).map(([offset, line]) => html`<span class="muted">${offset}</span>  ${line}${"\n"}`)}</pre>`;

function payload({ header: { length, masked }, wire }, compressed) {
  const how = [masked && t("frame.unmask"), compressed && t("frame.deflated"), wire.length < length && t("frame.first", { n: wire.length })];
  return [html`<b>${t("frame.payload", { size: size(length) })}</b>`, muted(how.filter(Boolean).join(t("log.comma"))), length > 0 && hex(wire)];
}

/** A message's frames, the first in full, the others on a click. */
class Several extends Component {
  shown = FRAMES;
  open = new Set([0]);
  toggle = (index) => (event) => {
    if (event.currentTarget.open) this.open.add(index);
    else this.open.delete(index);
    this.setState({});
  };
  render({ frames, count, compressed }) {
    const left = Math.min(frames.length, count) - this.shown;
    return html`${frames.slice(0, this.shown).map((frame, index) => {
      const { header: head, wire } = frame;
      const [title, how, bytes] = payload(frame, compressed);
      return html`<details class="block frame" key=${index} open=${this.open.has(index)} onToggle=${this.toggle(index)}>
        <summary><b>${t("frame.nth", { n: number(index + 1), of: number(count) })}</b> ${muted([head.name ?? t("frame.opcode", { n: head.opcode }), size(head.length)].join(t("log.comma")))}</summary>
        ${this.open.has(index) && html`${header(head)}${meanings(head, { index, of: count })}<div class="block-head">${title}${how}</div>${bytes}`}
      </details>`;
    })}
    ${left > 0 && html`<div class="block"><button type="button" class="link" onClick=${() => this.setState({ shown: (this.shown += FRAMES) })}>${t("more.items", { n: number(left) })}</button></div>`}
    ${count > frames.length && html`<div class="block muted">${t("frame.kept", { n: number(frames.length), of: number(count) })}</div>`}`;
  }
}

/** `lead`: what stands in the message's own block, else the blocks after it. */
export function FrameView({ tab, row, lead }) {
  const frames = framesOf(row, bytesOf(row));
  if (frames.length === 0) return lead ? html`<${Unwatched} tab=${tab} text=${tab.view.on ? "frame.missing" : "frame.none"} />` : html`<${Order} tab=${tab} row=${row} />`;
  const { compressed, length, inflated, count = frames.length } = row.server;
  const [frame] = frames;
  const by = t(row.kind === "received" || row.note?.key === "note.sent" ? "frame.sent" : "frame.read");
  if (lead && count === 1) return html`<div class="block-head lead"><h2>${t("frame.header", { n: frame.header.size })}</h2><span class="muted">${by}</span></div>${header(frame.header)}${meanings(frame.header, { index: 0, of: 1 })}`;
  if (lead) return html`<p class="muted lead">${t("frame.fragmented", { n: number(count) })}</p>`;
  const [title, how, bytes] = payload(frame, compressed);
  return html`
    ${count === 1 ? html`<section class="block"><div class="block-head"><h2>${title}</h2>${how}</div>${bytes}</section>` : html`<${Several} key=${row.id} frames=${frames} count=${count} compressed=${compressed} />`}
    ${compressed && row.data !== null && block(t("frame.inflated", { size: size(inflated) }), inflated > 0 && muted(t("frame.crossed", { n: Math.round((100 * length) / inflated) })), content(row))}
    <${Order} tab=${tab} row=${row} />
  `;
}

function content(row) {
  const bytes = bytesOf(row);
  const text = row.type === "binary" ? hexLine(bytes) : typeof row.data === "string" ? row.data.slice(0, INFLATED) : decoder.decode(bytes.subarray(0, INFLATED));
  return html`<pre class="wrapped">${seen(text)}${row.size > INFLATED && row.type !== "binary" && "…"}</pre>`;
}

/** The messages before and after, as they stand in the log. */
function Order({ tab, row }) {
  const [before, after] = [-1, 1].map((step) => neighbour(tab, row, step, ({ data }) => data !== null));
  if (!before && !after) return null;
  const place = (other, key) => other && html`${rowLink(tab, other, html`${shape(other.kind)} ${nameOf(other, true)}`)}${t("log.comma")}${t(key, { time: span(Math.abs(other.at - row.at)) })}`;
  return block(t("order.title"), null, facts([[t("order.before"), place(before, "order.earlier")], [t("order.after"), place(after, "order.later")]], "facts close"));
}

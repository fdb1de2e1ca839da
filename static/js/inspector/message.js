// One row's content in full: as text, as a tree of JSON, or in hex. All of it from the wire, so all of it as text nodes.
import { hexDump } from "../shared/bytes.js";
import { $, copy, el, number } from "./dom.js";
import { bytes as size, clock, pieces } from "../shared/format.js";
import { onLanguage, t } from "./i18n.js";

const MOST_TEXT = 20_000; // characters shown
const MOST_BYTES = 4096;
const MOST_ITEMS = 200; // of one object or array

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The JSON in a message, the stamp's prefix and suffix aside; undefined when there is none. */
export function jsonIn(text) {
  const from = text.search(/[[{]/);
  const to = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]")) + 1;
  if (from < 0 || to <= from) return undefined;
  try {
    return JSON.parse(text.slice(from, to));
  } catch {
    return undefined;
  }
}

function tree(value, name) {
  const label = name === null ? [] : [el("span", { className: "key", textContent: `${name}: ` })];
  if (value === null || typeof value !== "object") {
    return el("div", {}, ...label, el("span", { className: typeof value, textContent: JSON.stringify(value) }));
  }
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const node = el("details", {}, el("summary", {}, ...label, `${open}${entries.length ? ` ${number(entries.length)} ` : ""}${close}`));
  // Children are made when they are asked for: a deep document costs what is looked at.
  node.addEventListener(
    "toggle",
    () => {
      for (const [key, item] of entries.slice(0, MOST_ITEMS)) node.append(tree(item, key));
      if (entries.length > MOST_ITEMS) node.append(el("div", { className: "hint", textContent: t("moreItems", { n: number(entries.length - MOST_ITEMS) }) }));
    },
    { once: true },
  );
  return node;
}

export function startDetail({ onClose }) {
  let row = null;
  const as = $("#detail-as");

  function show() {
    $("#detail").hidden = !row;
    if (!row) return;
    const data = row.data ?? (row.note ? t(row.note.key, row.note.vars) : "");
    const isText = typeof data === "string";
    const text = isText ? data : decoder.decode(data.subarray(0, MOST_TEXT * 4));
    $("#detail-title").textContent = t("detailTitle", { kind: t(`kind.${row.kind}`), time: clock(row.at), size: size(row.size) });
    const body = $("#detail-body");
    body.replaceChildren();
    let shown = "";
    const json = as.value === "json" ? jsonIn(text) : undefined;
    if (json !== undefined) {
      const root = tree(json, null);
      if (root.tagName === "DETAILS") root.open = true;
      body.append(root);
    } else if (as.value === "hex") {
      const raw = isText ? encoder.encode(data) : data;
      body.append(el("pre", { textContent: hexDump(raw, 0, MOST_BYTES) }));
      if (raw.length > MOST_BYTES) shown = t("cutAt", { shown: size(MOST_BYTES), total: size(raw.length) });
    } else {
      const pre = el("pre");
      for (const piece of pieces(text.slice(0, MOST_TEXT))) {
        pre.append(piece.unseen ? el("span", { className: "unseen", textContent: piece.text }) : piece.text);
      }
      body.append(pre);
      if (text.length > MOST_TEXT) shown = t("cutAt", { shown: number(MOST_TEXT), total: number(text.length) });
    }
    if (row.server) body.append(el("p", { className: "hint", textContent: `${t("colServer")}: ${JSON.stringify(row.server)}` }));
    if (shown) body.append(el("p", { className: "hint", textContent: shown }));
  }

  as.addEventListener("change", show);
  $("#detail-close").addEventListener("click", onClose);
  $("#detail-copy").addEventListener("click", (event) => {
    if (row) copy(row.data === null ? "" : typeof row.data === "string" ? row.data : hexDump(row.data), event.target);
  });
  onLanguage(show);
  return (selected) => {
    if (selected === row) return;
    row = selected;
    if (row && row.data !== null && typeof row.data !== "string") as.value = "hex";
    else if (row && as.value === "hex") as.value = "text";
    show();
  };
}

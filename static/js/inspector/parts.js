// Parts that the inspector's views are made of.
import { pieces } from "../shared/format.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { act } from "../state.js";

/** Names and values: [[name, value]]; pairs whose value is empty are left out. */
export const facts = (pairs, name = "facts") =>
  html`<dl class=${name}>${pairs.filter(([, value]) => value).map(([term, value]) => html`<dt key=${term}>${term}</dt><dd key=${`${term}=`}>${value}</dd>`)}</dl>`;

/** A block: its title, what stands at the title's end, and its content. */
export const block = (title, aside, ...content) => html`<section class="block"><div class="block-head"><h2>${title}</h2>${aside}</div>${content}</section>`;

export const muted = (text) => html`<span class="muted">${text}</span>`;

const APART = 2000; // pieces of a text that are set apart: a text can be made of nothing else

/** A text from the wire, what cannot be seen in it set apart. */
export function seen(text) {
  const all = pieces(text);
  const first = all.slice(0, APART).map(({ text, unseen }) => (unseen ? html`<span class="unseen">${text}</span>` : text));
  return [...first, all.slice(APART).map((piece) => piece.text).join("")];
}

/** What stands in place of the server's view, and how to get it. */
export function Unwatched({ tab, text }) {
  return html`<p class="muted note">${t(tab.view.refused ? "view.refused" : text)}</p>
    ${!tab.imported && !tab.view.refused && tab.ours && html`<button type="button" class="link" onClick=${act(() => watchNow(tab))}>${t("view.on")}</button>`}`;
}

function watchNow(tab) {
  if (!tab.watched) tab.watch(true);
  tab.connect("view");
}

const cache = new WeakMap();

/** What `make` makes for `owner`; made anew only if `key` is another. */
export function kept(owner, key, make) {
  const known = cache.get(owner);
  if (known?.key === key) return known.made;
  const made = make();
  cache.set(owner, { key, made });
  return made;
}

/** A time in words of about two figures: 1.6 ms, 840 ms, 6.3 s, 12:40. */
export const span = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`);

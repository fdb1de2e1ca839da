// The few things that every panel does with the document.
import { language, t } from "./i18n.js";

export const $ = (selector) => document.querySelector(selector);
export const number = (n) => new Intl.NumberFormat(language() === "zh" ? "zh-CN" : "en").format(n);

/** An element with properties, its children as nodes or texts. */
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Says it to a screen reader. */
export function say(text) {
  $("#said").textContent = text;
}

/** Copies, and says on the button that it did. */
export async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that came over plain HTTP from another machine has no clipboard API.
    const field = el("textarea", { value: text, className: "hidden" });
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const label = button.textContent;
  say(t(done ? "copied" : "notCopied"));
  if (button.dataset.i18n) {
    button.textContent = done ? "✓" : label;
    setTimeout(() => (button.textContent = t(button.dataset.i18n)), 1200);
  }
}

export function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Runs `work` at most once a frame. */
export function eachFrame(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      work();
    });
  };
}

/** localStorage that may be forbidden. */
export const store = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* forgotten with the page */
    }
  },
};

// Two languages, complete, switched without a reload. Elements name their text by key:
//   data-i18n                            the element's text
//   data-i18n-attr, "aria-label:key ..." its attributes
// What is built by script asks t() and listens to onLanguage().
import en from "./strings.en.js";
import zh from "./strings.zh.js";

const TABLES = { en, zh };
const STORE = "ws-echo.lang";
const listeners = new Set();
let current = "en";

/** The language to begin with: what the reader chose before, else what the browser asks for. */
export function preferred(stored, languages) {
  if (stored in TABLES) return stored;
  for (const tag of languages) {
    const base = tag.toLowerCase().split("-")[0];
    if (base in TABLES) return base;
  }
  return "en";
}

/** The text for a key, `{name}` filled in from `vars`. */
export function t(key, vars) {
  const text = TABLES[current][key] ?? key;
  return vars ? text.replace(/\{(\w+)\}/g, (whole, name) => vars[name] ?? whole) : text;
}

export const has = (key) => key in TABLES[current];
export const language = () => current;
export const other = () => (current === "zh" ? "en" : "zh");

export function onLanguage(listener) {
  listeners.add(listener);
}

export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
  for (const node of root.querySelectorAll("[data-i18n-attr]")) {
    for (const pair of node.dataset.i18nAttr.split(" ")) {
      const [name, key] = pair.split(":");
      node.setAttribute(name, t(key));
    }
  }
}

export function setLanguage(lang, remember = true) {
  current = lang;
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  if (remember) store(lang);
  translate();
  for (const listener of listeners) listener(lang);
}

export function startLanguage() {
  setLanguage(preferred(stored(), navigator.languages ?? [navigator.language ?? "en"]), false);
}

// A browser that forbids storage still gets a page; it only forgets the choice.
function stored() {
  try {
    return localStorage.getItem(STORE) ?? "";
  } catch {
    return "";
  }
}

function store(lang) {
  try {
    localStorage.setItem(STORE, lang);
  } catch {
    /* see stored() */
  }
}

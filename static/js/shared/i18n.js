// Two languages, switched without a reload. Each folder has a table of strings: key: ["English", "中文"].
import { store } from "./browser.js";

const LANGUAGES = ["en", "zh"];
const table = {};
let current = "en";

const added = new WeakSet();

/** Adds a folder's table, once. A key that another folder has already is a programming error. */
export function addStrings(strings) {
  if (added.has(strings)) return;
  added.add(strings);
  for (const [key, texts] of Object.entries(strings)) {
    if (key in table) throw new Error(`two texts for ${key}`);
    table[key] = texts;
  }
}

/** The language to begin with: the reader's earlier choice, else the first that the browser asks for, else English. */
export function preferred(stored, languages) {
  if (LANGUAGES.includes(stored)) return stored;
  const bases = languages.map((tag) => tag.toLowerCase().split("-")[0]);
  return bases.find((base) => LANGUAGES.includes(base)) ?? "en";
}

/** The text for a key, `{name}` filled in from `vars`. An unknown key is its own text, so that it is seen. */
export function t(key, vars) {
  const text = table[key]?.[LANGUAGES.indexOf(current)] ?? key;
  return vars ? text.replace(/\{(\w+)\}/g, (whole, name) => vars[name] ?? whole) : text;
}

export const has = (key) => key in table;
export const language = () => current;

export function setLanguage(language, remember = true) {
  current = language;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  if (remember) store.set("ws-echo.lang", language);
}

export function startLanguage() {
  setLanguage(preferred(store.get("ws-echo.lang"), navigator.languages ?? [navigator.language ?? "en"]), false);
}

// Both languages write numbers alike. A formatter is kept: making one takes longer than a hundred numbers do.
const formats = [];
export const number = (n, digits = 0) => (formats[digits] ??= new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(n);

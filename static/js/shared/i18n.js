// Two languages, switched without a reload. Only the texts of the language in use are loaded before the first echo. Each
// folder has two tables, strings.en.js and strings.zh.js, with the same keys.
import { store } from "./browser.js";

const LANGUAGES = ["en", "zh"];
let table = {};
let current = "en";

/** What is in use, as loadTexts() has it. */
const folders = new Set();

/** Adds texts of the language in use. */
export const addTexts = (texts) => void Object.assign(table, texts);

/** Loads a folder's texts in the language in use. `folder` has for each language a function that imports its table. */
export async function loadTexts(folder) {
  folders.add(folder);
  const asked = current;
  const { default: texts } = await folder[asked]();
  // The user switched the language meanwhile.
  if (asked !== current) return loadTexts(folder);
  addTexts(texts);
}

/** All tables of a language, also of folders that are added meanwhile. */
async function tables(language) {
  const count = folders.size;
  const loaded = await Promise.all([...folders].map((folder) => folder[language]()));
  return folders.size === count ? loaded.map((module) => module.default) : tables(language);
}

/** Fetches the texts of the other language: it can be switched without the server. */
export const loadOtherLanguage = () => tables(LANGUAGES.find((language) => language !== current));

/** The language to begin with: the reader's earlier choice, else the first that the browser asks for, else English. */
export function preferred(stored, languages) {
  if (LANGUAGES.includes(stored)) return stored;
  const bases = languages.map((tag) => tag.toLowerCase().split("-")[0]);
  return bases.find((base) => LANGUAGES.includes(base)) ?? "en";
}

/** The text for a key, `{name}` filled in from `vars`. An unknown key is its own text, so that it is seen. */
export function t(key, vars) {
  const text = table[key] ?? key;
  return vars ? text.replace(/\{(\w+)\}/g, (whole, name) => vars[name] ?? whole) : text;
}

export const has = (key) => key in table;
export const language = () => current;

function use(language) {
  current = language;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

/** Switches the language once its texts are there. */
export async function setLanguage(language) {
  table = Object.assign({}, ...(await tables(language)));
  use(language);
  store.set("ws-echo.lang", language);
}

export const startLanguage = () => use(preferred(store.get("ws-echo.lang"), navigator.languages ?? [navigator.language ?? "en"]));

// Both languages write numbers alike. A formatter is kept: making one takes longer than a hundred numbers do.
const formats = [];
export const number = (n, digits = 0) => (formats[digits] ??= new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })).format(n);

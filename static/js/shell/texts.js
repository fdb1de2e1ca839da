// The texts that the page starts with, in the language in use.
import { loadTexts } from "../shared/i18n.js";

const texts = { en: () => import("./texts.en.js"), zh: () => import("./texts.zh.js") };
let loading = null;

/** Loads them, once. */
export const startTexts = () => (loading ??= loadTexts(texts));

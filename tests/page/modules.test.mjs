// The page as files: their weight, their texts, their links. node --test tests/page/modules.test.mjs
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { preferred } from "../../static/js/shared/i18n.js";

const root = new URL("../../static/", import.meta.url);
const files = readdirSync(root, { recursive: true }).filter((name) => statSync(new URL(name, root)).isFile());
const scripts = files.filter((name) => name.endsWith(".js"));
const read = (name) => readFileSync(new URL(name, root), "utf8");
// The texts of callouts stand beside their code.
const tables = (language) => scripts.filter((name) => name.endsWith(`/strings.${language}.js`) || name === `js/connection/callouts.${language}.js`);
const load = async (names) => Object.assign({}, ...(await Promise.all(names.map(async (name) => (await import(new URL(name, root))).default))));
const texts = await load(tables("en"));
const chinese = await load(tables("zh"));
const isTable = (name) => /\.(en|zh)\.js$/.test(name);

test("the page weighs less than 520 kB, and less than 228 kB until the first echo", () => {
  const size = (name) => statSync(new URL(name, root)).size;
  const sum = (names) => names.reduce((sum, name) => sum + size(name), 0);
  const all = files.filter((name) => !/\.LICENSE$|^vendor\/README\.md$/.test(name));
  const sheets = [...read("index.html").matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href]) => href);
  const first = ["index.html", "js/main.js", ...imported("js/main.js"), "js/shell/views.js", ...imported("js/shell/views.js"), "js/shell/texts.zh.js", ...imported("js/shell/texts.zh.js"), ...sheets];
  assert.ok(sum(all) < 520_000, `${sum(all)} bytes`);
  assert.ok(sum([...new Set(first)]) < 228_000, `${sum([...new Set(first)])} bytes`);
});

test("no key has two texts", () => {
  for (const language of ["en", "zh"]) {
    const keys = tables(language).flatMap((name) => [...read(name).matchAll(/^ {2}(?:"([^"]+)"|(\w+)): "/gm)].map(([, quoted, plain]) => quoted ?? plain));
    assert.deepEqual(keys.filter((key, i) => keys.indexOf(key) !== i), []);
    assert.deepEqual(keys.sort(), Object.keys(texts).sort());
  }
});

test("both languages have every text in the same order, with the same placeholders", async () => {
  const names = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  assert.deepEqual(tables("zh"), tables("en").map((name) => name.replace(".en.", ".zh.")));
  for (const name of tables("en")) {
    const keys = async (name) => Object.keys(await load([name]));
    assert.deepEqual(await keys(name.replace(".en.", ".zh.")), await keys(name), name);
  }
  for (const [key, en] of Object.entries(texts)) {
    const zh = chinese[key];
    assert.ok(en && zh, key);
    assert.deepEqual(names(zh), names(en), key);
  }
});

test("Chinese texts have the punctuation of Chinese", () => {
  for (const [key, zh] of Object.entries(chinese)) assert.doesNotMatch(zh, /\p{Script=Han}[,;:!?()]|[,;:!?()]\p{Script=Han}/u, key);
});

/** The keys that a source asks for. Of t(`a.${b}`) only the start is known: some key has to begin with it. */
function asked(source) {
  const keys = [];
  for (const [, call] of source.matchAll(/(?<![.\w])(?:t|has)\(((?:[^()]|\([^()]*\))*)\)/g)) {
    const first = call.replace(/, \{[\s\S]*$/, "");
    for (const [, key] of first.matchAll(/"([\w.]+)"(?! ?[=!]==)/g)) if (!new RegExp(`[=!]== "${key}"`).test(first)) keys.push(key);
    for (const [, start] of first.matchAll(/`([\w.]+)\$\{/g)) keys.push(`${start}*`);
  }
  return keys;
}

test("every text that the page asks for is there", () => {
  const keys = Object.keys(texts);
  let count = 0;
  for (const name of scripts.filter((name) => name.startsWith("js/"))) {
    for (const key of asked(read(name))) {
      count++;
      assert.ok(key.endsWith("*") ? keys.some((one) => one.startsWith(key.slice(0, -1))) : key in texts, `${name}: ${key}`);
    }
  }
  assert.ok(count > 100, `only ${count} found`);
});

test("every text is asked for", () => {
  const sources = scripts.filter((name) => name.startsWith("js/") && !isTable(name)).map(read).join("\n");
  const starts = [...sources.matchAll(/`([\w.]+)\$\{/g)].map(([, start]) => start);
  const unused = Object.keys(texts).filter((key) => !sources.includes(`"${key}"`) && !starts.some((start) => key.startsWith(start)));
  // A key can be put together from its last part: cause("likely", "idle").
  assert.deepEqual(unused.filter((key) => !sources.includes(`"${key.split(".").at(-1)}"`)), []);
});

/** The modules that a module imports, and theirs; not those that import() fetches later. */
function imported(name, found = new Set()) {
  for (const [, path] of read(name).matchAll(/^import .*from "([^"]+)";$/gm)) {
    const target = new URL(path, new URL(name, root)).pathname.slice(root.pathname.length);
    if (!found.has(target)) imported(target, found.add(target));
  }
  return found;
}

test("every module and stylesheet that the first echo needs is announced by index.html, and no other", () => {
  const page = read("index.html");
  const announced = [...page.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, href]) => href);
  // First what the connection needs, then the views, which main.js fetches itself.
  const views = "js/shell/views.js";
  const needed = [...imported("js/main.js")];
  assert.deepEqual(announced.slice(0, needed.length).sort(), needed.sort());
  assert.deepEqual(announced.sort(), [...new Set([...needed, views, ...imported(views)])].sort());
  const sheets = [...page.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href]) => href);
  // The others are loaded with their views.
  const later = [...read("js/shell/later.js").matchAll(/loadStyle\("([^"]+)"\)/g)].map(([, href]) => href);
  assert.deepEqual([...sheets, ...later].sort(), files.filter((name) => name.endsWith(".css")).sort());
});

test("the page starts with the texts of every folder that it starts with", async () => {
  for (const [language, all] of [["en", texts], ["zh", chinese]]) {
    const first = await load([`js/shell/texts.${language}.js`]);
    const later = ["check", "drawer", "inspector", "laboratory"].map((folder) => `js/${folder}/strings.${language}.js`);
    assert.deepEqual({ ...first, ...(await load(later)) }, all);
  }
});

test("the page holds no script and no style of its own, and takes nothing from another host", () => {
  const page = read("index.html");
  assert.doesNotMatch(page, /<script(?![^>]* src="js\/main\.js")|<style|\son\w+=|\sstyle=/i);
  for (const name of files.filter((name) => /\.(js|css|html|svg)$/.test(name))) {
    assert.doesNotMatch(read(name), /(?:src|href)="(?:https?:)?\/\/|from "https?:|import\("https?:|url\(["']?(?:https?:)?\/\//, name);
  }
});

test("a script writes no markup and no style as text, runs no text, and leaves nothing in the console", () => {
  for (const name of scripts.filter((name) => name.startsWith("js/"))) {
    assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\sstyle="|\beval\(|new Function/, name);
    if (name !== "js/connection/commands.js") assert.doesNotMatch(read(name), /\bconsole\./, name);
  }
});

test("every import leads to a file", () => {
  for (const name of scripts.filter((name) => name.startsWith("js/"))) {
    for (const [, target] of read(name).matchAll(/(?:from |import )"(\.[^"]+)"/g)) assert.ok(files.includes(new URL(target, new URL(name, "file:///")).pathname.slice(1)), `${name}: ${target}`);
  }
});

test("the language is the one chosen, else the first that the browser and the page share, else English", () => {
  assert.equal(preferred("zh", ["en"]), "zh");
  assert.equal(preferred("", ["fr", "zh-TW", "en"]), "zh");
  assert.equal(preferred("klingon", ["fr"]), "en");
});

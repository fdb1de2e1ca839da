// The page's logic, on Node's own test runner: node --test tests/page/*.test.mjs
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { backoff } from "../../static/js/connection.js";
import { preferred } from "../../static/js/i18n.js";
import en from "../../static/js/strings.en.js";
import zh from "../../static/js/strings.zh.js";
import { build, endsByItself, fromHash, OPTIONS, ownUrl, protocolList, toHash, valid } from "../../static/js/url.js";

const root = new URL("../../static/", import.meta.url);
const files = readdirSync(root, { recursive: true }).filter((name) => statSync(new URL(name, root)).isFile());

test("the whole page weighs less than 150 KB", () => {
  const weight = files.reduce((sum, name) => sum + statSync(new URL(name, root)).size, 0);
  assert.ok(weight < 150_000, `${weight} bytes`);
});

test("both languages have every text, with the same placeholders", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const names = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const key of Object.keys(en)) assert.deepEqual(names(zh[key]), names(en[key]), key);
});

test("every text that the page asks for by name is there", () => {
  for (const name of files.filter((name) => /\.(js|html)$/.test(name))) {
    const source = readFileSync(new URL(name, root), "utf8");
    const asked = [...source.matchAll(/data-i18n="([^"]+)"/g), ...source.matchAll(/\bt\("([^"]+)"/g)].map((match) => match[1]);
    for (const [, pairs] of source.matchAll(/data-i18n-attr="([^"]+)"/g)) asked.push(...pairs.split(" ").map((pair) => pair.split(":")[1]));
    for (const key of asked) assert.ok(key in en, `${name}: ${key}`);
  }
  for (const { key } of OPTIONS) assert.ok(`opt.${key}` in en, key);
});

test("every module that a page needs is announced to the browser", () => {
  const page = readFileSync(new URL("index.html", root), "utf8");
  for (const name of files.filter((name) => name.endsWith(".js") && !name.endsWith("main.js"))) {
    assert.ok(page.includes(`href="${name}"`), name);
  }
});

test("the language is the one chosen, else the first that the browser and the page share, else English", () => {
  assert.equal(preferred("zh", ["en"]), "zh");
  assert.equal(preferred("", ["fr", "zh-TW", "en"]), "zh");
  assert.equal(preferred("klingon", ["fr"]), "en");
});

test("the page finds its own server under any prefix and scheme", () => {
  assert.equal(ownUrl("http://localhost:3000/"), "ws://localhost:3000/");
  assert.equal(ownUrl("https://example.org/a/b/index.html?x=1#console"), "wss://example.org/a/b/");
});

test("a URL is built from the form, and what else it had is kept", () => {
  const url = build("http://h/p?mine=1&reply=json&%zz#x", new Map([["reply", "none"], ["abort", ""], ["close", "4401:token expired&"]]));
  assert.equal(url, "ws://h/p?mine=1&%zz&reply=none&abort&close=4401:token%20expired%26");
  assert.ok(endsByItself(url));
  assert.ok(!endsByItself("ws://h/?reply=json"));
  assert.throws(() => build("ftp://h/", new Map()));
  assert.deepEqual(protocolList(" a, b  a "), ["a", "b"]);
});

test("the page's state goes through its address and back, and strangers' nonsense stays out", () => {
  const state = { view: "console", base: "wss://h/a?b=c", protocols: "a, b", options: new Map([["delay", "1s"], ["abort", ""]]) };
  assert.deepEqual(fromHash(toHash(state)), state);
  assert.equal(toHash({}), "");
  const odd = fromHash("#nowhere?delay=<img>&evil=1&reply=yes&pong=off");
  assert.deepEqual([odd.view, [...odd.options]], ["console", [["pong", "off"]]]);
});

test("values are taken as the server takes them", () => {
  for (const [key, value] of [["after", "3"], ["after", "5s"], ["drop", "0.1"], ["drop", "1"], ["close", "1012:back soon"], ["max-message-size", "64KiB"]]) {
    assert.ok(valid(key, value), `${key}=${value}`);
  }
  for (const [key, value] of [["after", "0"], ["drop", "1.5"], ["drop", "-1"], ["delay", "5"], ["handshake-status", "200"], ["watch", "short"]]) {
    assert.ok(!valid(key, value), `${key}=${value}`);
  }
});

test("the page tries again later each time, and never all pages at once", () => {
  assert.ok(backoff(0, 0) >= 400 && backoff(0, 1) <= 600);
  assert.ok(backoff(99, 1) <= 33_000);
  assert.notEqual(backoff(3, 0), backoff(3, 1));
});


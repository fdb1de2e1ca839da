// WCAG 2.2, 1.4.3 and 1.4.11: the pairs of colours that the page puts on one another, in both themes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const css = new URL("../../static/css/", import.meta.url);
const tokens = readFileSync(new URL("tokens.css", css), "utf8");
const coloursOf = (block) => Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
const blockOf = (selector) => tokens.split(`${selector} {`)[1].split("}")[0];
const light = coloursOf(blockOf(":root"));
const dark = coloursOf(blockOf('[data-theme="dark"]'));

// [the colour, its grounds, what it needs, the ratios in the light theme, in the dark theme]. Text needs 4.5 to 1,
// the borders and shapes of controls 3 to 1.
const PAIRS = [
  ["ink", "surface chrome accent-soft", 4.5, [17.4, 16.0, 14.1], [14.7, 15.6, 10.2]],
  ["muted", "surface chrome hover accent-tint accent-soft error-soft error-tint", 4.5, [6.1, 5.7, 5.4, 5.7, 5.0, 5.4, 5.8], [7.1, 7.5, 6.3, 6.5, 4.9, 6.1, 7.0]],
  ["accent", "surface chrome accent-tint accent-soft", 4.5, [6.6, 6.1, 6.1, 5.4], [9.5, 10.1, 8.8, 6.6]],
  ["error", "surface chrome error-soft error-tint accent-soft", 4.5, [6.5, 6.0, 5.7, 6.1, 5.3], [8.0, 8.5, 6.9, 7.9, 5.6]],
  ["caution", "surface accent-soft", 4.5, [6.5, 5.3], [9.2, 6.4]],
  ["on-accent", "accent", 4.5, [6.6], [9.1]],
  ["edge", "surface chrome hover", 3, [3.7, 3.4, 3.2], [3.9, 4.2, 3.5]],
];

/** Relative luminance, as WCAG 2 defines it. */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

for (const [theme, colours, column] of [["light", light, 3], ["dark", dark, 4]]) {
  test(`every text and every control can be told from its ground in the ${theme} theme`, () => {
    for (const pair of PAIRS) {
      const [colour, grounds, least] = pair;
      for (const [i, ground] of grounds.split(" ").entries()) {
        const ratio = contrast(colours[colour], colours[ground]);
        const said = `${colour} on ${ground}: ${ratio.toFixed(2)}`;
        assert.ok(ratio >= least, `${said}, less than ${least}`);
        assert.ok(Math.abs(ratio - pair[column][i]) < 0.06, `${said}, designed as ${pair[column][i]}`);
      }
    }
  });
}

test("the dark colours of the system's theme are those of the chosen one", () => {
  const system = coloursOf(tokens.split('@media (prefers-color-scheme: dark) {')[1].split('}')[0]);
  assert.deepEqual(system, dark);
  assert.deepEqual(Object.keys(light), Object.keys(dark));
});

test("no other file has a colour, a size of type or a font of its own", () => {
  for (const name of readdirSync(css).filter((name) => name !== "tokens.css")) {
    const text = readFileSync(new URL(name, css), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [line] of text.matchAll(/[^;{}]*(?:#[0-9a-f]{3,8}\b(?![^{};]*\{)|\b(?:rgb|hsl|oklch|lab)a?\()[^;{}]*/gi)) assert.fail(`${name}: ${line.trim()}`);
    for (const [, property, value] of text.matchAll(/[^-\w](font(?:-size|-family)?): ([^;}]+)/g)) {
      assert.match(value, /var\(--|^(?:inherit|0)$/, `${name}: ${property}: ${value}`);
      assert.doesNotMatch(value, /\d(?:px|rem|em|pt|%)/, `${name}: ${property}: ${value}`);
    }
  }
});

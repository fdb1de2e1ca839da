// WCAG 2.2, 1.4.3 and 1.4.11: every pair of colours that the page puts on one another, in both themes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../static/css/base.css", import.meta.url), "utf8");
const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
  Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value])),
);

/** Relative luminance, as WCAG defines it. */
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

for (const [theme, colours] of Object.entries({ light, dark })) {
  test(`text can be read in the ${theme} theme`, () => {
    const grounds = ["paper", "panel", "well"];
    const pairs = ["ink", "muted", "accent", "error"].flatMap((text) => grounds.map((ground) => [text, ground]));
    pairs.push(["accent-ink", "accent"], ["ink", "accent-soft"], ["accent", "accent-soft"], ["error", "error-soft"]);
    for (const [text, ground] of pairs) {
      const ratio = contrast(colours[text], colours[ground]);
      assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
    }
  });

  test(`the edges of fields and buttons can be seen in the ${theme} theme`, () => {
    for (const ground of ["paper", "panel", "well"]) {
      const ratio = contrast(colours.edge, colours[ground]);
      assert.ok(ratio >= 3, `edge on ${ground}: ${ratio.toFixed(2)}`);
    }
  });
}

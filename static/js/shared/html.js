// The library of the views: Preact makes elements, htm reads the templates. Nothing else imports from vendor/.
import htm from "../../vendor/htm.js";
import { Component, createRef, h, render } from "../../vendor/preact.js";

export const html = htm.bind(h);
export { Component, createRef, render };

/** Class names that are true: `classes("row", selected && "selected")`. */
export const classes = (...names) => names.filter(Boolean).join(" ");

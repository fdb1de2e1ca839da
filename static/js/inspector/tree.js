// A tree of JSON. Children are made when they are asked for: a deep document costs what is looked at.
import { oneLine } from "../shared/format.js";
import { Component, html } from "../shared/html.js";
import { number, t } from "../shared/i18n.js";

const ITEMS = 200; // of one object or array, and again with each click
const TEXT = 2000; // characters of one string

const leaf = (value) => oneLine(JSON.stringify(value), TEXT);

/** A value and its name in the object or array around it. */
export class Tree extends Component {
  open = this.props.open ?? false;
  items = ITEMS;
  toggle = (event) => {
    if (this.open === event.currentTarget.open) return;
    this.open = event.currentTarget.open;
    this.setState({});
  };
  more = () => {
    this.items += ITEMS;
    this.setState({});
  };
  render({ value, name }) {
    const label = name !== undefined && html`<span class="key">${oneLine(name, TEXT)}: </span>`;
    if (value === null || typeof value !== "object") return html`<div class="leaf">${label}<span class=${typeof value}>${leaf(value)}</span></div>`;
    const list = Array.isArray(value);
    const keys = list ? value : Object.keys(value);
    const [open, close] = list ? "[]" : "{}";
    const left = keys.length - this.items;
    return html`<details class="tree" open=${this.open} onToggle=${this.toggle}>
      <summary>${label}${open}${keys.length > 0 && html` <span class="muted">${number(keys.length)}</span> `}${close}</summary>
      ${this.open && html`<div>
        ${keys.slice(0, this.items).map((key, i) => html`<${Tree} key=${i} name=${list ? String(i) : key} value=${list ? key : value[key]} />`)}
        ${left > 0 && html`<button type="button" class="link" onClick=${this.more}>${t("more.items", { n: number(left) })}</button>`}
      </div>`}
    </details>`;
  }
}

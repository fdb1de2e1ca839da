// A menu or small form under its button. One is open at a time; Escape and a click elsewhere close it, and the focus
// goes back to the button.
import { app, changed } from "../state.js";
import { classes, Component, html } from "./html.js";

/** Opens the popover `name`, or closes it. For buttons, with aria-expanded=${app.popover === name}. */
export const toggle = (name) => () => {
  app.popover = app.popover === name ? null : name;
  changed();
};

/** `label` for screen readers, `align` start or end of its button, `onClose()` when it is gone. */
export class Popover extends Component {
  componentDidMount() {
    this.before = document.activeElement;
    this.focusFirst();
    this.outside = (event) => {
      if (this.element.contains(event.target) || this.element.parentNode.contains(event.target)) return;
      app.popover = null;
      changed();
    };
    addEventListener("pointerdown", this.outside, true);
  }
  // What is in it may be fetched only now. The focus that has gone elsewhere meanwhile stays there.
  componentDidUpdate() {
    if (!this.focused && document.activeElement === this.element) this.focusFirst();
  }
  focusFirst() {
    const first = this.element.querySelector("[autofocus], input:enabled, select:enabled, button:enabled, a");
    this.focused = first !== null;
    (first ?? this.element).focus();
  }
  componentWillUnmount() {
    removeEventListener("pointerdown", this.outside, true);
    this.props.onClose?.();
    if (this.element.contains(document.activeElement) || document.activeElement === document.body) this.before?.focus();
  }
  render({ label, align = "end", class: name, children }) {
    return html`<div ref=${(element) => element && (this.element = element)} class=${classes("popover", name)} data-align=${align} role="dialog" tabindex="-1" aria-label=${label}>${children}</div>`;
  }
}

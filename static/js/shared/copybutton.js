// A button that copies, and says for two seconds in its own place what came of it.
import { copyText } from "./browser.js";
import { Component, html } from "./html.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";
import { app, changed } from "../state.js";

const SAID = 2000; // ms

/** `text()` makes what is copied. `plain`: a link without an icon. */
export class CopyButton extends Component {
  componentWillUnmount() {
    clearTimeout(this.timer);
  }
  copy = async () => {
    this.done = (await copyText(this.props.text())) ? "copied" : "notCopied";
    app.said = t(this.done);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.done = app.said = "";
      changed();
    }, SAID);
    changed();
  };
  render({ plain }) {
    return html`<button type="button" class=${plain ? "link copy" : "quiet copy"} onClick=${this.copy}>${!plain && icon("copy")}<span>${t(this.done || "copy")}</span></button>`;
  }
}

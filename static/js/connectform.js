// The connect form: a URL, subprotocols, and everything that the server can be asked to do, kept in the page's address.
import { $, copy, el } from "./dom.js";
import { onLanguage, t, translate } from "./i18n.js";
import { build, DEFAULT_PROTOCOLS, fromHash, OPTIONS, ownUrl, protocolList, toHash, valid } from "./url.js";

const own = ownUrl(document.baseURI);

export function startConnectForm({ onConnect, view }) {
  const fields = new Map();
  let connected = "";
  for (const option of OPTIONS) {
    const id = `opt-${option.key}`;
    const name = el("span");
    name.dataset.i18n = `opt.${option.key}`;
    const key = el("code", { textContent: option.key });
    let field;
    if (option.only !== undefined) {
      field = el("input", { type: "checkbox", id });
      $("#options").append(el("label", { className: "check" }, field, el("span", {}, name, " ", key)));
    } else {
      if (option.values) {
        field = el("select", { id }, el("option", { value: "" }), ...option.values.map((value) => el("option", { value, textContent: value })));
        field.options[0].dataset.i18n = "asIs";
      } else {
        field = el("input", { id, placeholder: option.eg, spellcheck: false, autocomplete: "off" });
      }
      $("#options").append(el("label", {}, el("span", {}, name, " ", key), field));
    }
    fields.set(option.key, { field, option });
  }
  translate($("#options"));

  function options() {
    const out = new Map();
    for (const [key, { field, option }] of fields) {
      if (option.only !== undefined) field.checked && out.set(key, option.only);
      else if (field.value.trim()) out.set(key, field.value.trim());
    }
    return out;
  }

  function show({ base, protocols, options: asked }) {
    $("#url").value = base || own;
    $("#protocols").value = protocols;
    for (const [key, { field, option }] of fields) {
      if (option.only !== undefined) field.checked = asked.has(key);
      else field.value = asked.get(key) ?? "";
    }
    if (asked.size) $("#behaviours").open = true;
    update();
  }

  const state = () => {
    const base = $("#url").value.trim();
    return { view: view(), base: base === own ? "" : base, protocols: $("#protocols").value.trim(), options: options() };
  };

  /** { url, protocols } or null while a field holds what cannot be. */
  function target() {
    const asked = options();
    let good = true;
    for (const [key, { field, option }] of fields) {
      const bad = asked.has(key) && !valid(key, asked.get(key));
      field.setCustomValidity(bad ? t("badValue", { eg: option.eg ?? "" }) : "");
      if (bad) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
      good &&= !bad;
    }
    try {
      const url = build($("#url").value.trim() || own, asked);
      $("#url").setCustomValidity("");
      return good ? { url, protocols: protocolList($("#protocols").value) } : null;
    } catch {
      $("#url").setCustomValidity(t("badUrl"));
      return null;
    }
  }

  function update() {
    const wanted = target();
    const count = options().size;
    $("#behaviour-count").textContent = count || "";
    $("#built").textContent = wanted ? wanted.url : t("badUrl");
    if (!wanted) {
      const wrong = $("#connect-form").querySelector(":invalid:not(form, fieldset)");
      $("#built").textContent = wrong?.validationMessage ?? "";
    }
    $("#built").classList.toggle("error", !wanted);
    $("#changed").textContent = connected && wanted && JSON.stringify(wanted) !== connected ? t("changed") : "";
  }

  const here = (hash) => hash || location.pathname + location.search;
  const remember = () => history.replaceState(null, "", here(toHash(state())));

  $("#connect-form").addEventListener("input", update);
  $("#connect-form").addEventListener("change", () => target() && remember());
  $("#connect-form").addEventListener("submit", (event) => {
    event.preventDefault();
    onConnect();
  });
  $("#copy-url").addEventListener("click", (event) => copy(target()?.url ?? "", event.target));
  $("#copy-link").addEventListener("click", (event) => {
    remember();
    copy(location.href, event.target);
  });
  $("#reset").addEventListener("click", () => {
    show({ base: "", protocols: DEFAULT_PROTOCOLS, options: new Map() });
    $("#behaviours").open = false;
    remember();
  });
  onLanguage(update);
  show(fromHash(location.hash));

  return {
    own,
    /** Another view of the page, the form as it is. */
    leave: (to) => to !== view() && history.pushState(null, "", here(toHash({ ...state(), view: to }))),
    /** What to connect to now; null, with the wrong field shown, when that cannot be. */
    take() {
      const wanted = target();
      if (!wanted) {
        $("#behaviours").open = true;
        $("#connect-form").reportValidity();
        return null;
      }
      connected = JSON.stringify(wanted);
      remember();
      update();
      return wanted;
    },
    set(key, value) {
      fields.get(key).field.value = value;
      update();
    },
    load: () => show(fromHash(location.hash)),
  };
}

// The views that are fetched after the first echo.
import { html } from "../shared/html.js";
import { loadTexts } from "../shared/i18n.js";
import { lazy } from "../shared/lazy.js";
import { loadStyle } from "../shared/style.js";
import { wide } from "../state.js";

const check = { en: () => import("../check/strings.en.js"), zh: () => import("../check/strings.zh.js") };
const drawer = { en: () => import("../drawer/strings.en.js"), zh: () => import("../drawer/strings.zh.js") };
const inspector = { en: () => import("../inspector/strings.en.js"), zh: () => import("../inspector/strings.zh.js") };
const laboratory = { en: () => import("../laboratory/strings.en.js"), zh: () => import("../laboratory/strings.zh.js") };

export const Check = lazy("Check", () => Promise.all([import("../check/check.js"), loadTexts(check), loadStyle("css/check.css")]));
export const ConnectionPart = lazy("ConnectionPart", () => Promise.all([import("../connection/part.js")]));
export const ConnectionTabs = lazy("ConnectionTabs", () => Promise.all([import("../connection/tabstrip.js"), loadTexts(drawer)]));
export const DisconnectPopover = lazy("DisconnectPopover", () => Promise.all([import("../connection/disconnect.js")]));
export const Drawer = lazy("Drawer", () => Promise.all([import("../drawer/drawer.js"), loadTexts(drawer), loadStyle("css/drawer.css")]));
export const ExportItems = lazy("ExportItems", () => Promise.all([import("../log/export.js")]));
export const HistoryMenu = lazy("HistoryMenu", () => Promise.all([import("../connection/historymenu.js")]));
export const Inspector = lazy("Inspector", () => Promise.all([import("../inspector/inspector.js"), loadTexts(inspector), loadStyle("css/inspector.css")]), () => wide() && html`<div class="inspector"></div>`);
export const Laboratory = lazy("Laboratory", () => Promise.all([import("../laboratory/laboratory.js"), loadTexts(laboratory), loadStyle("css/laboratory.css")]));
export const MoreMenu = lazy("MoreMenu", () => Promise.all([import("../connection/more.js")]));
export const Parts = lazy("Parts", () => Promise.all([import("./parts.js")]));

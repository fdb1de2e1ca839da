// The views that are fetched after the first echo.
import { html } from "../shared/html.js";
import { lazy } from "../shared/lazy.js";
import { wide } from "../state.js";

export const ConnectionPart = lazy("ConnectionPart", () => Promise.all([import("../connection/part.js")]));
export const ConnectionTabs = lazy("ConnectionTabs", () => Promise.all([import("../connection/tabstrip.js"), import("../drawer/strings.js")]));
export const DisconnectPopover = lazy("DisconnectPopover", () => Promise.all([import("../connection/disconnect.js")]));
export const Drawer = lazy("Drawer", () => Promise.all([import("../drawer/drawer.js"), import("../drawer/strings.js")]));
export const ExportItems = lazy("ExportItems", () => Promise.all([import("../log/export.js")]));
export const HistoryMenu = lazy("HistoryMenu", () => Promise.all([import("../connection/historymenu.js")]));
export const Inspector = lazy("Inspector", () => Promise.all([import("../inspector/inspector.js"), import("../inspector/strings.js")]), () => wide() && html`<div class="inspector"></div>`);
export const Laboratory = lazy("Laboratory", () => Promise.all([import("../laboratory/laboratory.js"), import("../laboratory/strings.js")]));
export const MoreMenu = lazy("MoreMenu", () => Promise.all([import("../connection/more.js")]));
export const Parts = lazy("Parts", () => Promise.all([import("./parts.js")]));

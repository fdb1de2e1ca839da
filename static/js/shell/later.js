// The views that are fetched after the first echo.
import { lazy } from "../shared/lazy.js";

export const Drawer = lazy("Drawer", () => Promise.all([import("../drawer/drawer.js")]));
export const Inspector = lazy("Inspector", () => Promise.all([import("../inspector/inspector.js"), import("../inspector/strings.js")]));
export const Laboratory = lazy("Laboratory", () => Promise.all([import("../laboratory/laboratory.js"), import("../laboratory/strings.js")]));

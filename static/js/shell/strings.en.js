// Texts of the app bar, in English.
export default {
  views: "Views",
  "view.console": "Console",
  "view.check": "Check",
  "view.lab": "Laboratory",
  tagline: "Send a message; it comes back with the server’s time.",
  settings: "Theme and language",
  theme: "Theme",
  "theme.system": "As the system",
  "theme.light": "Light",
  "theme.dark": "Dark",
};

// Texts of the app bar.
export default {
  views: ["Views", "视图"],
  "view.console": ["Console", "控制台"],
  "view.check": ["Check", "检查"],
  "view.lab": ["Laboratory", "实验室"],
  tagline: ["Send a message; it comes back with the server’s time.", "发送一条消息，它会带着服务器的时间回来。"],
  settings: ["Theme and language", "主题与语言"],
  theme: ["Theme", "主题"],
  "theme.system": ["As the system", "跟随系统"],
  "theme.light": ["Light", "浅色"],
  "theme.dark": ["Dark", "深色"],
};

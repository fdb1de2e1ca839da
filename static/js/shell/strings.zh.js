// Texts of the app bar, in Chinese.
export default {
  views: "视图",
  "view.console": "控制台",
  "view.check": "检查",
  "view.lab": "实验室",
  tagline: "发送一条消息，它会带着服务器的时间回来。",
  settings: "主题与语言",
  theme: "主题",
  "theme.system": "跟随系统",
  "theme.light": "浅色",
  "theme.dark": "深色",
};

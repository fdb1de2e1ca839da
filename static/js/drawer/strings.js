// Texts of the drawer "Simulate a fault".
export default {
  "preset.slow": ["Slow backend", "后端缓慢"],
  "preset.flaky": ["Flaky network", "网络不稳"],
  "preset.restart": ["Deploy restart", "部署重启"],
  "preset.overloaded": ["Server overloaded", "服务器过载"],
  "preset.expired": ["Expired session", "会话过期"],
  "preset.login": ["Login required", "需要登录"],
  "preset.reset": ["Connection reset by a proxy", "代理重置连接"],
  "preset.halfopen": ["Half-open peer", "半开连接"],
  "preset.utf8": ["Broken UTF-8", "UTF-8 损坏"],
  "preset.frame": ["Forbidden frame", "违规帧"],
  "preset.hangs": ["Hangs while closing", "关闭时挂起"],
  "preset.subprotocol": ["Lost subprotocol", "子协议丢失"],
  "preset.link": ["Slow link", "慢速链路"],
  "preset.first": ["Server speaks first", "服务器先发言"],
};

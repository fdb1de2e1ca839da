// Texts of the whole page and of the shared parts.
export default {
  skip: ["Skip to the message field", "跳到消息输入框"],
  parts: ["Parts of the console", "控制台的各部分"],
  "part.log": ["Log", "日志"],
  "part.send": ["Send", "发送"],
  "part.connection": ["Connection", "连接"],
  "divider.inspector": ["Width of the inspector", "检视面板的宽度"],
  "divider.composer": ["Height of the message field", "消息输入框的高度"],
  "divider.lab": ["Width of the figures", "数据栏的宽度"],
  copied: ["Copied", "已复制"],
  notCopied: ["The browser refused to copy.", "浏览器拒绝了复制。"],
  dismiss: ["Close", "关闭"],
  "list.and": [", ", "、"],
  "list.or": [" or ", "或"],
  none: ["none", "无"],
};

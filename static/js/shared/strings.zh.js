// Texts of the whole page and of the shared parts, in Chinese.
export default {
  skip: "跳到消息输入框",
  parts: "控制台的各部分",
  "part.log": "日志",
  "part.send": "发送",
  "part.connection": "连接",
  "divider.inspector": "检视面板的宽度",
  "divider.composer": "消息输入框的高度",
  "divider.lab": "数据栏的宽度",
  copied: "已复制",
  notCopied: "浏览器拒绝了复制。",
  dismiss: "关闭",
  "list.and": "、",
  "list.or": "或",
  none: "无",
};

// Texts of the connection: address bar, state line, callouts, menus.
export default {
  "state.connecting": ["Connecting", "连接中"],
  "state.open": ["Open", "已连接"],
  "state.closing": ["Closing", "关闭中"],
  "state.closed": ["Closed", "已关闭"],
  "state.refused": ["Refused", "被拒绝"],
  "state.lost": ["Lost", "已中断"],
  "state.gone": ["Server gone", "服务器失联"],
  "state.imported": ["Imported", "已导入"],
  connect: ["Connect", "连接"],
  reconnect: ["Reconnect", "重新连接"],
  disconnect: ["Disconnect", "断开"],
};

// The texts that the page starts with, in Chinese.
import callouts from "../connection/callouts.zh.js";
import connection from "../connection/strings.zh.js";
import exchange from "../exchange/strings.zh.js";
import log from "../log/strings.zh.js";
import shared from "../shared/strings.zh.js";
import shell from "./strings.zh.js";

export default { ...shared, ...shell, ...connection, ...callouts, ...exchange, ...log };

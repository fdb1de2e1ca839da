// The texts that the page starts with, in English.
import callouts from "../connection/callouts.en.js";
import connection from "../connection/strings.en.js";
import exchange from "../exchange/strings.en.js";
import log from "../log/strings.en.js";
import shared from "../shared/strings.en.js";
import shell from "./strings.en.js";

export default { ...shared, ...shell, ...connection, ...callouts, ...exchange, ...log };

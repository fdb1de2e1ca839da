// Texts of the whole page and of the shared parts, in English.
export default {
  skip: "Skip to the message field",
  parts: "Parts of the console",
  "part.log": "Log",
  "part.send": "Send",
  "part.connection": "Connection",
  "divider.inspector": "Width of the inspector",
  "divider.composer": "Height of the message field",
  "divider.lab": "Width of the figures",
  copied: "Copied",
  notCopied: "The browser refused to copy.",
  dismiss: "Close",
  "list.and": ", ",
  "list.or": " or ",
  none: "none",
};

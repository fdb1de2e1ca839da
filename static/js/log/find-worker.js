// Matches texts against a regular expression, in a thread of its own: an expression that backtracks without end stops
// this thread and not the page. find.js ends it then.
onmessage = ({ data: { source, flags, texts } }) => {
  const expression = new RegExp(source, flags);
  postMessage(texts.map((text) => expression.test(text)));
};
postMessage("ready");

// Stylesheets of the views that are fetched later.
const loaded = new Map();

function load(href) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => {
      loaded.delete(href);
      link.remove();
      reject(new Error(`no ${href}`));
    };
  });
}

/** Loads a stylesheet, once. `href` is as in index.html. */
export function loadStyle(href) {
  if (!loaded.has(href)) loaded.set(href, load(href));
  return loaded.get(href);
}

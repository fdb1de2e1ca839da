// What the browser may refuse or lack: storage, the clipboard, a download.

/** A storage, or nothing where it is forbidden: the page then forgets with its end. */
const storage = (area) => ({
  get(key) {
    try {
      return area().getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      area().setItem(key, value);
    } catch {
      /* full or forbidden */
    }
  },
  /** The JSON value under `key` if `valid` accepts it, else `otherwise`: anyone can have written it. */
  json(key, valid, otherwise) {
    try {
      const value = JSON.parse(area().getItem(key));
      return valid(value) ? value : otherwise;
    } catch {
      return otherwise;
    }
  },
});
export const store = storage(() => localStorage);
export const session = storage(() => sessionStorage); // of this window, over a reload

/** Copies a text. Resolves to whether the browser allowed it. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that came over plain HTTP from another machine has no clipboard API.
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "hidden" });
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return done;
  }
}

/** Offers a file for saving. `parts` are strings or byte arrays. */
export function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// What is sent by hand: text or bytes, once or again and again, now or kept for later.
import { fromBase64, fromHex } from "./bytes.js";
import { $, el, number, store } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const BEAT = 2000;
const SAVED = "ws-echo.saved";
const MOST_SAVED = 100;
const AHEAD = 1 << 20; // bytes that a repetition lets wait in the browser before it waits itself

export function startSendForm({ send, connection }) {
  const mode = $("#mode");
  const message = $("#message");
  const hint = (text, bad = false) => {
    $("#send-check").textContent = text;
    $("#send-check").classList.toggle("error", bad);
  };

  /** What the form holds, as it would be sent; null when it is not what it says to be. */
  async function content() {
    try {
      if (mode.value === "hex") return fromHex(message.value);
      if (mode.value === "base64") return fromBase64(message.value);
      if (mode.value === "file") {
        const file = $("#file").files[0];
        if (!file) hint(t("noFile"), true);
        return file ? new Uint8Array(await file.arrayBuffer()) : null;
      }
      return message.value;
    } catch (error) {
      hint(t(mode.value === "hex" ? "badHex" : "badBase64", { bad: error.message }), true);
      return null;
    }
  }

  function check() {
    const text = message.value.trim();
    const jsonLike = mode.value === "text" && /^[[{]/.test(text);
    let good = false;
    hint("");
    if (jsonLike) {
      try {
        JSON.parse(text);
        good = true;
        hint(t("jsonGood"));
      } catch (error) {
        hint(t("jsonBad", { error: error.message }), true);
      }
    } else if (mode.value === "hex" || mode.value === "base64") {
      content();
    }
    $("#pretty").hidden = !good;
  }

  mode.addEventListener("change", () => {
    const file = mode.value === "file";
    message.hidden = file;
    $("#file").hidden = !file;
    check();
  });
  message.addEventListener("input", check);
  $("#pretty").addEventListener("click", () => {
    message.value = JSON.stringify(JSON.parse(message.value), null, 2);
    check();
  });
  $("#send-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = await content();
    if (data === null) return;
    if (!send(data)) hint(t("notOpen"), true);
    else if (!message.hidden) message.select();
  });
  message.addEventListener("keydown", (event) => {
    // isComposing: the Enter that picks a word in an input method does not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("#send-form").requestSubmit();
    }
  });

  // Again and again.
  let left = 0;
  let timer = 0;
  function showRepeat() {
    $("#repeat").textContent = left ? t("repeatStop", { n: number(left) }) : t("repeatStart");
  }
  function stop() {
    left = 0;
    clearTimeout(timer);
    showRepeat();
  }
  $("#repeat-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (left) return stop();
    const data = await content();
    if (data === null) return;
    const every = Number($("#repeat-every").value);
    left = Number($("#repeat-times").value);
    const began = performance.now();
    let done = 0;
    const step = () => {
      // By the clock, not by the timer: what a late timer missed is made up for, a thousand at a time at most.
      const due = every ? Math.floor((performance.now() - began) / every) + 1 - done : 1000;
      for (let i = 0; i < Math.min(due, 1000) && left && connection.bufferedAmount < AHEAD; i++) {
        if (!send(data)) {
          hint(t("notOpen"), true);
          return stop();
        }
        done++;
        left--;
      }
      showRepeat();
      if (left) timer = setTimeout(step, every ? Math.max(0, began + done * every - performance.now()) : 0);
    };
    step();
  });

  // Kept for later.
  let saved = [];
  try {
    const kept = JSON.parse(store.get(SAVED) ?? "[]");
    if (Array.isArray(kept)) saved = kept.filter((one) => typeof one?.text === "string" && typeof one.mode === "string");
  } catch {
    /* not ours: begin anew */
  }
  function showSaved() {
    const head = el("option", { value: "", textContent: saved.length ? t("savedPick", { n: saved.length }) : t("savedNone") });
    $("#saved").replaceChildren(head, ...saved.map((one, i) => el("option", { value: i, textContent: one.text.slice(0, 60) })));
    $("#unsave").disabled = true;
  }
  const keep = () => {
    store.set(SAVED, JSON.stringify(saved));
    showSaved();
  };
  $("#save").addEventListener("click", () => {
    if (!message.value || mode.value === "file") return;
    saved = [{ mode: mode.value, text: message.value }, ...saved.filter((one) => one.text !== message.value)].slice(0, MOST_SAVED);
    keep();
  });
  $("#saved").addEventListener("change", () => {
    const one = saved[$("#saved").value];
    $("#unsave").disabled = !one;
    if (!one) return;
    mode.value = one.mode;
    mode.dispatchEvent(new Event("change"));
    message.value = one.text;
    check();
  });
  $("#unsave").addEventListener("click", () => {
    saved.splice(Number($("#saved").value), 1);
    keep();
  });

  // The classic.
  let beating = 0;
  function beat() {
    clearInterval(beating);
    if (!$("#classic").checked) return;
    const once = () => send(String(Date.now()));
    once();
    beating = setInterval(once, BEAT);
  }
  $("#classic").addEventListener("change", beat);

  onLanguage(() => {
    showRepeat();
    showSaved();
    check();
  });
  showRepeat();
  showSaved();
  return { beat };
}

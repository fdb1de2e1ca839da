// The laboratory's state and its two actions, start and stop.
import { app, changed } from "../state.js";
import { runLab } from "./labrun.js";

export const PUSHES = 20;
const DRAWN_EVERY = 100; // ms, while it measures

export const lab = {
  form: { times: 200, sizes: [16, 1024], every: 100 },
  series: null, // what labrun.js measures or has measured
  done: null, // { at, took, times } once the series are complete
  run: null, // the AbortController while it measures
  failed: "", // why the last measurement broke off
};

/** Seconds that a measurement takes on a fast network. */
export const seconds = () => Math.round((2 * PUSHES * lab.form.every) / 1000 + 1);

/** Draws the page, at most ten times a second. Resolves once it is drawn, so that drawing is not measured. */
function drawing() {
  let last = 0;
  return () => {
    if (performance.now() - last < DRAWN_EVERY) return null;
    last = performance.now();
    changed();
    if (document.hidden) return null;
    return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  };
}

/** Measures; `said()` is read out at the end. A measurement that is stopped or fails leaves the one before it. */
export async function measure(said) {
  const { series, done } = lab;
  const began = performance.now();
  const draw = drawing();
  Object.assign(lab, { run: new AbortController(), series: [], done: null, failed: "" });
  const { signal } = lab.run;
  const show = (all) => {
    lab.series = all;
    return draw();
  };
  try {
    await runLab({ ...lab.form, pushes: PUSHES }, show, signal);
    lab.done = { at: Date.now(), took: performance.now() - began, times: lab.form.times };
  } catch (error) {
    Object.assign(lab, { series, done, failed: signal.aborted ? "" : error.message });
  }
  lab.run = null;
  app.said = said();
  changed();
}

export const stop = () => lab.run.abort();

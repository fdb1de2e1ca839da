// The page's one state. Actions change it and call changed(); the views are functions of it and are drawn again at most
// once a frame. Nothing but this file holds state that two parts of the page share.

export const app = {
  view: "console", // console | check | lab
  theme: "system", // system | light | dark
  tabs: [], // connection tabs: connection/tab.js
  tab: null, // the active one
  keys: null, // the server's list of query keys, once GET behaviours.json has answered
  popover: null, // the name of the open menu, such as "history"; one at a time
  drawer: null, // null, or what drawer/open.js says: the fault drawer is open
  inspector: "message", // message | timing | connection
  as: { text: "text", binary: "hex" }, // how the inspector shows a message of each type: text | json | hex | frame
  allHeaders: false, // the inspector shows every field of the handshake
  sheet: false, // the inspector covers the log: a drawer under 1100 px, the whole page under 700 px
  part: "log", // log | send | connection: the tab in sight under 700 px
  width: innerWidth, // px; the layout's three widths are told apart by wide() and narrow()
  sizes: { inspector: 440, composer: 56, lab: 596, labEmpty: 480, check: 480 }, // px, as the user has dragged them
  said: "", // the last thing done, for screen readers: "Copied."
};

export const wide = () => app.width >= 1100;
export const narrow = () => app.width < 700;

let draw = () => {};
let due = false;

/** Draws the page again before the next frame. */
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
  });
}

/** Names the function that draws the page. */
export function drawWith(render) {
  draw = render;
  changed();
}

/** Runs an action and draws its effect: for event handlers. */
export const act =
  (action) =>
  (...args) => {
    action(...args);
    changed();
  };

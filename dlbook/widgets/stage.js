// What the pictures on a dark stage share: powers of ten as text, a place to read at, play and pause.
import { button, calm, node } from "./controls.js";

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

// 10⁻⁶, 10², 1.
export const power = (exponent) => exponent === 0 ? "1"
  : `10${exponent < 0 ? "⁻" : ""}${[...String(Math.abs(exponent))].map((digit) => RAISED[digit]).join("")}`;

// One tab stop over `count` places of a picture: arrow keys, pointer and finger choose one, Escape none. `words(at)` says what is there.
export function reader(name, count, words, choose) {
  let at = null, locate = () => 0;
  const element = node("div", { class: "dlw-reader", role: "slider", tabindex: "0", "aria-label": name,
    "aria-valuemin": 1, "aria-valuemax": count, onfocus: () => go(at ?? 0), onblur: () => go(null),
    onpointermove: (event) => go(locate(event)), onpointerdown: (event) => go(locate(event)),
    onpointerleave: () => { if (document.activeElement !== element) go(null); },
    onkeydown: (event) => {
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: count - 1, Escape: null }[event.key];
      if (to === undefined || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      go(to);
    } });
  const update = () => {
    element.setAttribute("aria-valuenow", (at ?? 0) + 1);
    element.setAttribute("aria-valuetext", words(at ?? 0));
    choose(at);
  };
  const go = (to) => {
    const next = to === null ? null : Math.max(0, Math.min(count - 1, to));
    if (next !== at) { at = next; update(); }
  };
  return { element, update, reach: (last) => { count = last; element.setAttribute("aria-valuemax", last); at = at === null ? null : Math.min(at, last - 1); },
    measure: (f) => { locate = f; } };
}

// Plays draw(part) from 0 to 1 in `seconds`; 1 is the whole picture. A step goes on by `step` and stands still.
// `rest` is told whenever it comes to stand; `place` says where it goes on from. Where seconds and step change, they are functions.
export function player(seconds, step, draw, words, rest = () => {}) {
  let part = 1, before = null, asked = 0;
  const now = (given) => (typeof given === "function" ? given() : given);
  const sign = (playing) => {
    press.sign(playing ? "pause" : "play");
    press.element.setAttribute("aria-label", playing ? "pause" : words);
    press.element.title = playing ? "pause" : words;
  };
  const to = (next) => { part = Math.min(1, next); draw(part); };
  const tick = (when) => {
    to(part + (when - (before ?? when)) / 1000 / now(seconds));
    before = when;
    if (part < 1) asked = requestAnimationFrame(tick); else stop();
  };
  const stop = () => { cancelAnimationFrame(asked); asked = 0; before = null; sign(false); rest(); };
  const start = () => {
    if (part >= 1) to(0);
    sign(true);
    asked = requestAnimationFrame(tick);
  };
  const press = button("play", words, () => (asked ? stop() : start()));
  const next = button("next", "one step further", () => { stop(); to(part >= 1 ? now(step) : part + now(step)); rest(); }, "step");
  press.element.hidden = calm();
  return { elements: [press.element, next.element], start, stop, place: (there) => { part = there; },
    whole: () => { stop(); to(1); }, reset: () => { stop(); to(0); rest(); } };
}

// Begin once, when the picture comes into sight; never for readers who ask for less motion.
export function onSight(element, action) {
  if (calm()) return () => {};
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watch.disconnect();
    action();
  }, { threshold: 0.6 });
  watch.observe(element);
  return () => watch.disconnect();
}

// Inside an SVG `touch-action: none` does not keep every browser from scrolling, which would take the finger away.
export function keptStill(element) {
  const hold = (event) => {
    for (let part = event.target; part; part = part === element ? null : part.parentElement) {
      if (event.cancelable && getComputedStyle(part).touchAction === "none") event.preventDefault();
    }
  };
  element.addEventListener("touchstart", hold, { passive: false });
}

// A finger or the mouse that is pressed on an element: to(event, whether it has just been pressed).
export function dragged(element, to) {
  keptStill(element);
  element.addEventListener("pointerdown", (event) => { element.setPointerCapture(event.pointerId); to(event, true); });
  element.addEventListener("pointermove", (event) => { if (event.buttons) to(event, false); });
}

// Draw for the width there is, now and whenever it changes.
export function onWidth(element, draw) {
  let width = 0;
  const watch = new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now && now !== width) { width = now; draw(width); }
  });
  width = Math.floor(element.clientWidth);
  if (width) draw(width);  // at once where it stands on a page: what is below it does not move
  watch.observe(element);
  return () => watch.disconnect();
}

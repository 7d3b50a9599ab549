// The pad: strokes by mouse, finger or keys, and the picture that they become, centred and scaled as MNIST's digits are.
import { identity, node } from "./controls.js";

export const SIDE = 28;
const BOX = 16.6, RADIUS = 1.2, MIDDLE = 14; // BOX and the stroke around it fill MNIST's 20 x 20
const STEP = 5; // of the keyboard's pen, in hundredths of the pad

// How far a point is from the stroke between two others.
function distance(x, y, [a, b], [c, d]) {
  const [u, v] = [c - a, d - b], part = Math.max(0, Math.min(1, ((x - a) * u + (y - b) * v) / (u * u + v * v || 1)));
  return Math.hypot(x - a - part * u, y - b - part * v);
}

// Ink in [0, 1] of strokes that are given in pixels.
function inked(strokes) {
  const pixels = new Float32Array(SIDE * SIDE), reach = RADIUS + 0.5;
  for (const stroke of strokes) stroke.forEach((to, i) => {
    const from = stroke[Math.max(0, i - 1)], low = (axis) => Math.max(0, Math.floor(Math.min(from[axis], to[axis]) - reach));
    const high = (axis) => Math.min(SIDE - 1, Math.ceil(Math.max(from[axis], to[axis]) + reach));
    for (let y = low(1); y <= high(1); y++) for (let x = low(0); x <= high(0); x++) {
      const ink = Math.max(0, Math.min(1, reach - distance(x, y, from, to)));
      pixels[y * SIDE + x] = Math.max(pixels[y * SIDE + x], ink);
    }
  });
  return pixels;
}

function centre(pixels) {
  let sum = 0, across = 0, down = 0;
  pixels.forEach((ink, k) => { sum += ink; across += ink * (k % SIDE); down += ink * Math.floor(k / SIDE); });
  return [across / sum, down / sum];
}

// Strokes of [x, y] in any unit -> 28 x 28 pixels: the larger side of the drawing fills 20, the centre of mass of its ink is in the middle.
export function pictured(strokes) {
  const points = strokes.flat();
  if (!points.length) return new Float32Array(SIDE * SIDE);
  const ends = [0, 1].map((axis) => [Math.min(...points.map((p) => p[axis])), Math.max(...points.map((p) => p[axis]))]);
  const span = Math.max(...ends.map(([low, high]) => high - low)), scale = span ? BOX / span : 1;
  const moved = (by) => strokes.map((stroke) => stroke.map((p) => p.map((v, axis) => (v - (ends[axis][0] + ends[axis][1]) / 2) * scale + MIDDLE + by[axis])));
  const off = centre(inked(moved([0, 0])));
  return inked(moved(off.map((v) => MIDDLE - v)));
}

// A square to draw on; `change` is told when the strokes are others.
export function pad(change) {
  const ink = node("path", { class: "dlw-ink" }), pen = node("circle", { class: "dlw-pen", r: 3.5, cx: 50, cy: 50 }), help = identity();
  const svg = node("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, ink, pen);
  let strokes = [], at = [50, 50], down = false;
  const show = () => {
    ink.setAttribute("d", strokes.map((stroke) => `M${stroke.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}${stroke.length > 1 ? "" : "h0.01"}`).join("") || "M0 0");
    pen.setAttribute("cx", at[0]);
    pen.setAttribute("cy", at[1]);
    pen.classList.toggle("dlw-down", down);
  };
  const told = () => { show(); change(strokes); };
  const place = (event) => { const box = svg.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top].map((v) => Math.max(0, Math.min(100, (100 * v) / box.width))); };
  const onto = (event) => { at = place(event); strokes.at(-1).push(at); told(); };
  const keys = (event) => {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.metaKey || event.ctrlKey || event.altKey || !(by || [" ", "Enter", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (by) { at = at.map((v, axis) => Math.max(0, Math.min(100, v + by[axis]))); if (down) strokes.at(-1).push(at); }
    else if (event.key === "Backspace") { strokes.pop(); down = false; } else { down = !down; if (down) strokes.push([at]); }
    if (by && !down) show(); else told();
  };
  const element = node("div", { class: "dlw-pad", role: "application", tabindex: "0", "aria-roledescription": "drawing pad", "aria-label": "draw a digit", "aria-describedby": help,
    onkeydown: keys, onblur: () => { down = false; show(); },
    onpointerdown: (event) => { element.setPointerCapture(event.pointerId); down = false; strokes.push([]); onto(event); }, onpointermove: (event) => { if (element.hasPointerCapture(event.pointerId)) onto(event); } },
  svg, node("span", { class: "dlw-hidden", id: help }, "Arrow keys move the pen, Space lowers and lifts it, Backspace takes back the last stroke."));
  show();
  return { element, clear: () => { strokes = []; down = false; show(); }, undo: () => { strokes.pop(); told(); }, any: () => strokes.length > 0 };
}

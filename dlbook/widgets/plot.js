// Axes, ticks and lines in SVG; the still picture of still.py is drawn by the same rules.
import { node, number } from "./controls.js";

export const MARGIN = { left: 52, right: 12, top: 26, bottom: 24 };
const DASH = "6 4";

// Round numbers in [low, high]: multiples of 1, 2 or 5 times a power of ten.
export function ticks(low, high, about) {
  const raw = (high - low || 1) / Math.max(about, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const ratio = raw / power;
  const step = power * (ratio < 1.5 ? 1 : ratio < 3 ? 2 : ratio < 7 ? 5 : 10);
  const marks = [];
  for (let k = Math.ceil(low / step - 1e-9); k <= high / step + 1e-9; k++) marks.push(Number((k * step).toPrecision(10)));
  return marks;
}

// Powers of ten in [low, high], each with 42 pixels of `room` or more; where fewer than two fit, also 2 and 5 times them.
export function logTicks(low, high, room = Infinity) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const inside = (v) => v >= low * 0.999 && v <= high * 1.001;
  const every = Math.max(1, Math.floor((last - first) / 6), Math.ceil((42 * (last - first)) / room));
  const powers = [], fine = [];
  for (let k = first; k <= last; k++) {
    if ((k - first) % every === 0) powers.push(Number(`1e${k}`));
    fine.push(...[1, 2, 5].map((m) => Number(`${m}e${k}`)));
  }
  const marks = powers.filter(inside);
  return marks.length > 1 ? marks : fine.filter(inside);
}

// The function from data to pixels.
export function scale(low, high, start, stop, log) {
  const f = log ? Math.log10 : (v) => v;
  const span = f(high) - f(low) || 1;
  return (value) => start + ((f(value) - f(low)) / span) * (stop - start);
}

// Range of a panel: over every setting of its visible curves, so that the axes hold still while a slider moves.
export function limits(panel, curves) {
  if (panel.range) return panel.range;
  const packed = curves.flatMap((curve) => [curve.values, curve.gradient]).filter(Boolean);
  if (!packed.length) return panel.log ? [0.1, 1] : [0, 1];
  const low = Math.min(...packed.map((p) => p.low)), high = Math.max(...packed.map((p) => p.high));
  if (panel.log) return [10 ** low / 1.2, 10 ** high * 1.2];
  const pad = (high - low) * 0.04 || 0.5;
  return [low - pad, high + pad];
}

// Grid lines and numbers. `named`: write the numbers of the x axis.
export function axes(panel, box, x, y, spec, range) {
  const parts = [];
  const first = spec.x[0], last = spec.x.at(-1);
  const rows = panel.log ? logTicks(...range) : ticks(...range, (box.bottom - box.top) / 42);
  for (const value of rows) {
    const at = y(value);
    parts.push(node("line", { class: value === 0 ? "dlw-zero" : "dlw-grid", x1: box.left, x2: box.right, y1: at, y2: at }),
      node("text", { x: box.left - 7, y: at + 4, "text-anchor": "end" }, number(value)));
  }
  const columns = spec.log_x ? logTicks(first, last, box.right - box.left) : ticks(first, last, (box.right - box.left) / 75);
  for (const value of columns) {
    const at = x(value);
    parts.push(node("line", { class: value === 0 ? "dlw-zero" : "dlw-grid", x1: at, x2: at, y1: box.top, y2: box.bottom }),
      node("text", { x: at, y: box.bottom + 17, "text-anchor": "middle" }, number(value)));
  }
  return parts;
}

// The limits on both sides of a jump at place i, on the straight lines through the two nearest points of each side;
// null where it is too small to see.
function sides(values, i, y) {
  const both = [2 * values[i - 1] - values[i - 2], 2 * values[i + 1] - values[i + 2]];
  return Math.abs(y(both[0]) - y(both[1])) > 3 ? both : null;
}

// A path with gaps where values are missing, and where they jump.
export function line(xs, values, x, y, dashed, jumps = []) {
  let d = "", pen = "M";
  const to = (i, value) => {
    d += `${pen}${x(xs[i]).toFixed(1)} ${Math.max(-9999, Math.min(9999, y(value))).toFixed(1)}`;
    pen = "L";
  };
  for (let i = 0; i < xs.length; i++) {
    if (!Number.isFinite(values[i])) { pen = "M"; continue; }
    const [left, right] = (jumps.includes(i) && sides(values, i, y)) || [values[i]];
    to(i, left);
    if (right !== undefined) { pen = "M"; to(i, right); }
  }
  return node("path", { d: d || "M0 0", class: "dlw-line", "stroke-dasharray": dashed ? DASH : null });
}

// The ends of a line at its jumps: full where the value is, open where it is not.
export const ends = (xs, values, x, y, jumps) => jumps.flatMap((i) => (sides(values, i, y) ?? []).map((side) =>
  node("circle", { class: Math.abs(y(side) - y(values[i])) < 2 ? "dlw-end" : "dlw-end dlw-open", cx: x(xs[i]), cy: y(side), r: 3.5 })));

// Eight outlines, so that a curve is known without its colour.
const shapes = [
  "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z", "M-3.6 -3.6H3.6V3.6H-3.6Z", "M0 -4.8 4.4 3.4H-4.4Z", "M0 -5 5 0 0 5 -5 0Z",
  "M-4 -4 4 4M4 -4 -4 4", "M0 -5V5M-5 0H5", "M0 4.8 4.4 -3.4H-4.4Z", "M-4 -2H4V2H-4Z"];

// Markers along a curve, each curve's at its own places.
export function markers(number_, xs, values, x, y) {
  const parts = [], every = (x(xs.at(-1)) - x(xs[0])) / 4;
  let due = x(xs[0]) + every * (0.2 + 0.6 * ((number_ * 0.37) % 1));
  for (let i = 0; i < xs.length; i++) {
    if (x(xs[i]) < due) continue;
    due += every;
    if (Number.isFinite(values[i])) parts.push(marker(number_, x(xs[i]), y(values[i])));
  }
  return parts;
}

export const marker = (number_, x, y, size = 1) => node("path", { class: "dlw-marker",
  d: shapes[(number_ + Math.floor(number_ / 8) * 3) % 8], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size})` });

// The sample of a line that stands in the legend.
export const swatch = (number_) => node("svg", { class: "dlw-swatch", viewBox: "0 0 28 14", "aria-hidden": "true" },
  node("path", { d: "M1 7H27", class: "dlw-line" }), marker(number_, 14, 7));

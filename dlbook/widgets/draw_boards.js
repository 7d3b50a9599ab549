// Layers and pictures as canvases: many small maps of one layer, of which one cell can be chosen; and single pictures.
import { bySign, node } from "./controls.js";

const UNLIT = [30, 39, 54];

// Paint values at [x, y] of a canvas. Signed ones: blue above zero, red below, over a dark ground or over grey in [0, 1].
function painted(canvas, cells, most, ground = null) {
  const context = canvas.getContext("2d"), data = context.createImageData(canvas.width, canvas.height);
  cells.forEach(([x, y, v], k) => {
    const part = (Math.min(1, Math.abs(v) / (most || 1))) ** 0.8, colour = bySign(v);
    const rgb = colour.map((c, i) => Math.round(c * part + (1 - part) * (ground ? 130 * ground[k] : UNLIT[i])));
    data.data.set([...rgb, 255], 4 * (y * canvas.width + x));
  });
  context.putImageData(data, 0, 0);
}

const largest = (values) => values.reduce((top, v) => Math.max(top, Math.abs(v)), 0);

// One picture of side x side, with a title; `words` are for those who do not see it.
export function sheet(title, side) {
  const canvas = node("canvas", { width: side, height: side, role: "img", "aria-label": title });
  return { element: node("figure", { class: "dlw-sheet" }, node("figcaption", {}, title), canvas),
    grey: (pixels) => {
      const context = canvas.getContext("2d"), data = context.createImageData(side, side);
      pixels.forEach((v, k) => data.data.set([...Array(3).fill(Math.round(255 * v)), 255], 4 * k));
      context.putImageData(data, 0, 0);
    },
    signed: (values, ground, words) => {
      painted(canvas, Array.from(values, (v, k) => [k % side, Math.floor(k / side), v]), largest(values), ground);
      canvas.setAttribute("aria-label", words);
    } };
}

// Maps of one layer, `across` in a row. One tab stop: arrows choose a cell, Page Up and Page Down another map.
export function board({ name, maps, side, across }, choose, words) {
  const rows = Math.ceil(maps / across), wide = across * (side + 1) - 1, high = rows * (side + 1) - 1;
  const canvas = node("canvas", { width: wide, height: high }), around = node("span", { class: "dlw-map-frame" }), dot = node("span", { class: "dlw-cell-frame" });
  let at = [0, 0, 0];
  const go = ([map, y, x]) => { const held = (v, top) => Math.max(0, Math.min(top - 1, v)); choose([held(map, maps), held(y, side), held(x, side)]); };
  const element = node("div", { class: "dlw-reader dlw-maps", role: "slider", tabindex: "0", "aria-label": name, "aria-valuemin": 1, "aria-valuenow": 1, "aria-valuemax": maps * side * side,
    onkeydown: (event) => {
      const [m, y, x] = { ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], PageUp: [-1, 0, 0], PageDown: [1, 0, 0], Home: [-maps, 0, 0], End: [maps, 0, 0] }[event.key] ?? [];
      if (m === undefined || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      // in a layer of single numbers the arrows go from map to map
      go(side > 1 ? [at[0] + m, at[1] + y, at[2] + x] : [at[0] + m + x + y, 0, 0]);
    },
    onpointerdown: (event) => {
      const box = canvas.getBoundingClientRect(), [x, y] = [((event.clientX - box.left) * wide) / box.width, ((event.clientY - box.top) * high) / box.height], cell = side + 1;
      const column = Math.min(across - 1, Math.floor(x / cell)), row = Math.min(rows - 1, Math.floor(y / cell));
      if (row * across + column < maps) go([row * across + column, Math.floor(y - row * cell), Math.floor(x - column * cell)]);
    } }, canvas, around, dot);
  const square = (frame, ...box) => ["left", "top", "width", "height"].forEach((side, i) => { frame.style[side] = `${(100 * box[i]) / (i % 2 ? high : wide)}%`; });
  return { element,
    paint: (values) => painted(canvas, Array.from(values, (v, k) => {
      const map = Math.floor(k / (side * side)), y = Math.floor((k % (side * side)) / side);
      return [(map % across) * (side + 1) + (k % side), Math.floor(map / across) * (side + 1) + y, v];
    }), largest(values)),
    mark: (place) => {
      [around, dot].forEach((frame) => { frame.hidden = !place; });
      if (!place) return;
      at = place;
      const [left, top] = [(at[0] % across) * (side + 1), Math.floor(at[0] / across) * (side + 1)];
      square(around, left, top, side, side);
      square(dot, left + at[2], top + at[1], 1, 1);
      element.setAttribute("aria-valuenow", (at[0] * side + at[1]) * side + at[2] + 1);
      element.setAttribute("aria-valuetext", words(at));
    } };
}

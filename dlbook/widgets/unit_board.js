// The photograph with the window on it, and the output with its cell: squares of numbers as pictures.
import { bySign, identity, node } from "./controls.js";
import { dragged } from "./stage.js";
import { ATTENTION, NORM } from "./unit_values.js";

const EDGE = 2.6;  // room for the padding around a photograph, in pixels of it

// Values as an image: grey ones from 0 to 1, or signed ones, which are blue above zero, red below, and clear at zero.
export function image(values, side, signed) {
  const canvas = node("canvas", { width: side, height: side }), context = canvas.getContext("2d"), data = context.createImageData(side, side);
  const most = values.reduce((top, v) => Math.max(top, Math.abs(v)), 0) || 1;
  values.forEach((v, k) => {
    const grey = Math.round(255 * v), [r, g, b] = signed ? bySign(v) : [grey, grey, grey];
    data.data.set([r, g, b, signed ? Math.round(255 * (Math.abs(v) / most) ** 0.8) : 255], 4 * k);
  });
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

const around = (x, y, size) => square(x - 0.3, y - 0.3, size + 0.6);  // so that what is framed stays in sight
const square = (x, y, size = 1) => `M${x} ${y}h${size}v${size}h${-size}Z`;

// A picture in a square of its own, with marks over it.
function board(kind, edge) {
  const picture = node("image", { class: "dlw-view", preserveAspectRatio: "none", x: 0, y: 0 });
  const over = node("g"), svg = node("svg", { class: `dlw-board-${kind}`, "aria-hidden": "true" });
  const title = node("p", { class: "dlw-board-title" });
  svg.append(picture, over);
  const show = (href, side) => {
    picture.setAttribute("href", href);
    picture.setAttribute("width", side);
    picture.setAttribute("height", side);
    svg.setAttribute("viewBox", `${-edge} ${-edge} ${side + 2 * edge} ${side + 2 * edge}`);
  };
  // Where a pointer is, in pixels of the picture.
  const at = (event, side) => {
    const box = svg.getBoundingClientRect(), unit = (side + 2 * edge) / box.width;
    return [(event.clientX - box.left) * unit - edge, (event.clientY - box.top) * unit - edge];
  };
  return { svg, over, title, picture, show, at, element: node("div", { class: "dlw-board" }, title, svg) };
}

// The photograph; `mark` shows what one output cell sees.
export function inputBoard(spec) {
  const made = board("input", EDGE), line = (kind, d) => node("path", { class: kind, d });
  const mark = (shape, row, column, seen, { operation, winner, weights }) => {
    const { padding, dilation, window, stride } = shape, parts = [], reach = dilation * (window - 1) + 1;
    if (padding) parts.push(line("dlw-padding", square(-padding, -padding, spec.side + 2 * padding)));
    if (weights) {
      const most = Math.max(...weights);
      parts.push(...weights.map((weight, p) => node("rect", { class: "dlw-heat", x: (p % shape.cells) * window, y: Math.floor(p / shape.cells) * window,
        width: window, height: window, "fill-opacity": (0.8 * weight) / most })));
    }
    const [y, x] = [row * stride - padding, column * stride - padding];
    if (dilation > 1) parts.push(line("dlw-seen", seen.map((cell) => square(cell.x, cell.y)).join("")));
    if (winner) parts.push(line("dlw-winner", square(winner.x, winner.y)));
    parts.push(line("dlw-halo", around(x, y, reach)), line("dlw-frame", around(x, y, reach)));
    made.over.replaceChildren(...parts);
    made.svg.classList.toggle("dlw-dimmed", operation === ATTENTION);
  };
  return { ...made, mark };
}

// The output; its cells up to `veil` are shown, or all.
export function outputBoard() {
  const made = board("output", 0.6), id = identity(), cut = node("path"), clip = node("clipPath", { id }, cut);
  made.svg.prepend(clip);
  made.picture.setAttribute("clip-path", `url(#${id})`);
  const mark = (cells, row, column, veil, size) => {
    const d = around(column * size, row * size, size);
    made.over.replaceChildren(node("path", { class: "dlw-halo", d }), node("path", { class: "dlw-cell-frame", d }));
    const whole = cells * size;
    cut.setAttribute("d", veil ? `M0 0H${whole}V${row * size}H0ZM0 ${row * size}H${(column + 1) * size}v${size}H0Z` : `M0 0H${whole}V${whole}H0Z`);
  };
  return { ...made, mark };
}

// One tab stop over the output's cells: arrow keys, pointer and finger choose one. `limits()` says how many there are a side.
export function reach(output, input, limits, choose) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-5, 0], PageDown: [5, 0], Home: [0, -1e3], End: [0, 1e3] };
  const element = node("div", { class: "dlw-reader", role: "slider", tabindex: "0", "aria-label": "output cell", "aria-valuemin": 1, onkeydown: (event) => {
    const by = step[event.key];
    if (!by || event.metaKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    choose(by[0], by[1], true);
  } }, output.svg);
  const follow = (board, locate) => {
    const to = (event) => { const [row, column] = locate(board.at(event, limits().of(board)), limits()); choose(row, column, false); };
    dragged(board.svg, to);
  };
  follow(output, ([x, y], { size }) => [Math.floor(y / size), Math.floor(x / size)]);
  follow(input, ([x, y], { stride, padding, dilation, window }) => [y, x].map((v) => Math.round((v + padding - (dilation * (window - 1) + 1) / 2) / stride)));
  const tell = (row, column, cells, words) => {
    element.setAttribute("aria-valuemax", cells * cells);
    element.setAttribute("aria-valuenow", row * cells + column + 1);
    element.setAttribute("aria-valuetext", words);
  };
  return { element, tell };
}

// One unit, cell by cell: a photograph, the window of one output cell enlarged, and the output.
import { button, calm, frame, inflatedBytes, keeper, listen, node, parameterControls, stateText } from "./controls.js";
import { player } from "./stage.js";
import { image, inputBoard, outputBoard, reach } from "./unit_board.js";
import { ATTENTION, AVERAGE, CONVOLUTION, MAXIMUM, NORM, attention, isSigned, output, windowAt } from "./unit_values.js";
import { enlarged, exact, sentence } from "./unit_window.js";

const SECONDS = 24, EVERY = 180;  // of a walk over the whole output; ms between two looks inside while it walks
const ALL = ["operation", "photograph"], POOL = [...ALL, "window", "stride", "padding"];
const USED = { [CONVOLUTION]: [...ALL, "kernel", "stride", "padding", "dilation"], [MAXIMUM]: [...POOL, "dilation"], [AVERAGE]: POOL,
  [NORM]: [...ALL, "γ", "β"], [ATTENTION]: [...ALL, "sharpness"] };

// What belongs to one output cell: its window and value, or the pixel, or the patches.
function insideOf(spec, pixels, values, made, row, column, heads) {
  if (values.operation === ATTENTION) return { ...heads, cells: made.cells, at: row * made.cells + column };
  const value = made.values[row * made.cells + column];
  if (values.operation === NORM) return { pixels, value, x: made.picture[row * spec.side + column] };
  const seen = windowAt(made.picture, spec.side, made, row, column);
  return { seen, value, winner: values.operation === MAXIMUM ? seen.find((cell) => cell.value === value) : null };
}

// The buttons that walk: play, one cell on, and one for each direction.
function walk(clock, move) {
  const way = (sign, words, row, column) => button(sign, words, () => move(row, column)).element;
  return node("div", { class: "dlw-playing" }, clock.elements[0], button("next", "one cell further", () => move(0, 1, true), "step").element,
    node("div", { class: "dlw-ways" }, way("back", "cell to the left", 0, -1), way("up", "cell above", -1, 0), way("down", "cell below", 1, 0), way("next", "cell to the right", 0, 1)));
}

async function render({ model, el }) {
  const spec = model.get("spec"), pixels = Float64Array.from(await inflatedBytes(spec.pixels), (byte) => byte / 255);
  const { content, say } = frame(model, el, "unit"), keep = keeper(model), { order } = spec;
  const used = (name) => USED[model.get("values").operation].includes(name), controls = parameterControls(model, keep);
  const shownControls = order.filter((name) => spec.parameters[name].length > 1);
  const input = inputBoard(spec), out = outputBoard(), zoom = node("div", { class: "dlw-zoom" }), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  let made = null, heads = null, row = 0, column = 0, veil = false, looked = 0;
  const size = () => (model.get("values").operation === ATTENTION ? spec.patch : 1), last = () => made.cells - 1;
  const held = (v) => Math.max(0, Math.min(last(), v));
  const mark = (quick) => {
    const values = model.get("values"), inside = insideOf(spec, pixels, values, made, row, column, heads);
    input.mark(made, row, column, inside.seen ?? [], { operation: values.operation, winner: inside.winner, weights: heads?.weights[inside.at] });
    out.mark(made.cells, row, column, veil, size());
    if (quick && performance.now() - looked < EVERY) return;
    looked = performance.now();
    const { title, parts } = enlarged(spec, values, inside);
    zoom.replaceChildren(node("p", { class: "dlw-board-title" }, title), ...parts);
    verdict.textContent = sentence(values, made, row, column, inside);
    place.tell(row, column, made.cells, `row ${row + 1}, column ${column + 1}${inside.value === undefined ? "" : `: ${exact(inside.value)}`}`);
    say(verdict.textContent);
  };
  const tell = () => { if (row !== model.get("row")) keep("row", row); if (column !== model.get("column")) keep("column", column); };
  const go = (to, over) => {
    [row, column] = [held(to), held(over)];
    clock.stop();
    clock.place((row * made.cells + column) / made.cells ** 2);
    veil = false;
    mark();
    tell();
  };
  const clock = player(SECONDS, 1, (part) => {
    const index = Math.min(made.cells ** 2 - 1, Math.floor(part * made.cells ** 2));
    [row, column, veil] = [Math.floor(index / made.cells), index % made.cells, part < 1];
    mark(part < 1);
  }, "play: the window walks", () => { if (made) { mark(); tell(); } });
  const move = (by, over, wraps = false) => {
    if (wraps && column === last()) go(row === last() ? 0 : row + 1, 0);
    else go(row + by, column + over);
  };
  const place = reach(out, input, () => ({ ...made, size: size(), of: (board) => (board.svg === input.svg ? spec.side : made.cells * size()) }),
    (to, over, relative) => { go(relative ? row + to : to, relative ? column + over : over); });
  out.element.append(place.element);
  content.append(node("div", { class: "dlw-stage dlw-area dlw-unit-stage" }, input.element, zoom, out.element), verdict, walk(clock, move),
    node("div", { class: "dlw-controls" }, ...controls.elements), state);
  const draw = () => {
    const values = model.get("values");
    const before = made?.cells, stayed = row === model.get("row") && column === model.get("column");
    made = null;  // a walk that ends here has no cell to tell
    clock.stop();
    made = output(spec, pixels, values);
    // The same place of the photograph, where another grid lies over it.
    const kept = (v) => (before && stayed ? Math.floor((v * made.cells) / before) : v < made.cells ? v : Math.floor((v * made.cells) / spec.side));
    heads = values.operation === ATTENTION ? attention(made.picture, spec.side, spec.patch, values.sharpness) : null;
    controls.update();
    controls.elements.forEach((element, i) => { element.hidden = !used(shownControls[i]); });
    const whole = made.cells * size();
    input.show(image(made.picture, spec.side, false), spec.side);
    out.show(image(made.values, whole, isSigned(values.operation)), whole);
    input.title.textContent = `photograph, ${spec.side} × ${spec.side}`;
    out.title.textContent = `output, ${made.cells} × ${made.cells}${heads ? " patches" : ""}`;
    state.textContent = stateText(values, order.filter(used));
    go(kept(model.get("row")), kept(model.get("column")));
  };
  draw();
  const stop = [listen(model, ["change:values"], draw), listen(model, ["change:row", "change:column"], () => {
    if (model.get("row") !== row || model.get("column") !== column) go(model.get("row"), model.get("column"));
  })];
  return () => { clock.stop(); stop.forEach((end) => end()); };
}

export default { render, output };

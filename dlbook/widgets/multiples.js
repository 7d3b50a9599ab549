// Small multiples: curves and their slopes in squares of one scale, with one x over all of them.
import { frame, keeper, listen, node, number, slider, three, unpack } from "./controls.js";
import { tabled } from "./numbers.js";
import { ends, line, scale } from "./plot.js";

const WIDE = 170, TALL = 130, PAD = 6, TANGENT = 30;

async function decoded(spec) {
  return Promise.all(spec.curves.map(async (curve) => ({ ...curve, values: await unpack(curve.values), slopes: await unpack(curve.slopes) })));
}

// Four decimals: what the packed numbers hold.
const rounded = (value) => Math.round(value * 1e4) / 1e4 + 0;
const told = (value) => three(rounded(value));

// One square, and the function that reads it at one x.
function square(curve, spec) {
  const x = scale(spec.x[0], spec.x.at(-1), PAD, WIDE - PAD), y = scale(...spec.range, TALL - PAD, PAD);
  const svg = node("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, "aria-hidden": "true" });
  const cursor = node("path", { class: "dlw-here" }), tangent = node("path", { class: "dlw-tangent" });
  const value = node("circle", { class: "dlw-value", r: 4.5 }), slope = node("path", { class: "dlw-slope" });
  const both = [["dlw-slopes", curve.slopes, true], ["dlw-values", curve.values, false]].map(([kind, row, dashed]) =>
    node("g", { class: kind }, line(spec.x, row, x, y, dashed, curve.jumps), ...ends(spec.x, row, x, y, curve.jumps)));
  svg.append(node("path", { class: "dlw-axes", d: `M0 ${y(0)}H${WIDE}M${x(0)} 0V${TALL}` }), cursor, ...both, tangent, slope, value);
  const numbers = [node("span", { class: "dlw-blue" }), node("span", { class: "dlw-orange" })], flat = node("span", { class: "dlw-flat-word", hidden: true }, " flat");
  const element = node("div", { class: "dlw-square", role: "group", "aria-label": curve.name },
    node("p", { class: "dlw-name" }, curve.name), svg,
    node("p", { class: "dlw-numbers" }, numbers[0], node("span", { class: "dlw-orange" }, numbers[1], flat)));
  const read = (at) => {
    const px = x(spec.x[at]), py = y(curve.values[at]), pitch = curve.slopes[at] * (y(0) - y(1)) / (x(1) - x(0)), run = TANGENT / Math.hypot(1, pitch);
    const level = Math.abs(rounded(curve.slopes[at])) < spec.flat;
    cursor.setAttribute("d", `M${px} 0V${TALL}`);
    tangent.setAttribute("d", `M${px - run} ${py + run * pitch}L${px + run} ${py - run * pitch}`);
    value.setAttribute("cx", px);
    value.setAttribute("cy", py);
    slope.setAttribute("d", `M${px - 4} ${y(curve.slopes[at]) - 4}h8v8h-8Z`);
    numbers[0].textContent = told(curve.values[at]);
    numbers[1].textContent = told(curve.slopes[at]);
    flat.hidden = !level;
    element.classList.toggle("dlw-flat", level);
    return level;
  };
  return { element, svg, read, name: curve.name, inverse: (px) => spec.x[0] + ((px - PAD) / (WIDE - 2 * PAD)) * (spec.x.at(-1) - spec.x[0]) };
}

const sample = (dashed) => node("svg", { class: "dlw-sample", viewBox: "0 0 34 10", "aria-hidden": "true" },
  node("path", { d: "M1 5H33", "stroke-dasharray": dashed ? "6 4" : null }), dashed ? node("rect", { x: 13, y: 1, width: 8, height: 8 }) : node("circle", { cx: 17, cy: 5, r: 4.5 }));

// What the lines are, the x, and how many curves are flat there.
function legend(spec) {
  const x = node("p", { class: "dlw-x" }), count = node("p", { class: "dlw-count" });
  const element = node("div", { class: "dlw-legend" }, x, node("p", { class: "dlw-blue" }, sample(false), spec.value),
    node("p", { class: "dlw-orange" }, sample(true), spec.slope), count);
  return { element, x, count };
}

// A finger or the mouse, in any square, takes x along.
function drag({ svg, inverse }, go) {
  const to = (event) => { const box = svg.getBoundingClientRect(); go(inverse(((event.clientX - box.left) * WIDE) / box.width)); };
  svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); to(event); });
  svg.addEventListener("pointermove", (event) => { if (event.buttons || event.pointerType === "touch") to(event); });
}

async function render({ model, el }) {
  const spec = model.get("spec"), curves = await decoded(spec);
  const { root, content, say } = frame(model, el, "multiples"), keep = keeper(model);
  const squares = curves.map((curve) => square(curve, spec)), key = legend(spec);
  const go = (x) => { const next = spec.x.reduce((best, v) => (Math.abs(v - x) < Math.abs(best - x) ? v : best)); if (next !== model.get("cursor")) keep("cursor", next); };
  const control = slider("x", spec.x, (x) => keep("cursor", x)), state = node("p", { class: "dlw-state" });
  squares.forEach((one) => drag(one, go));
  content.append(node("div", { class: "dlw-stage dlw-squares" }, ...squares.map((one) => one.element), key.element), node("div", { class: "dlw-controls" }, control.element), state);
  const draw = () => {
    const x = model.get("cursor"), at = spec.x.indexOf(x), flat = squares.filter((one) => one.read(at)).map((one) => one.name);
    control.update(x);
    key.x.textContent = state.textContent = `x = ${number(x)}`;
    key.count.textContent = flat.length ? `${flat.length} of ${squares.length} are flat here: the gradient that comes back ends` : `none of the ${squares.length} is flat here`;
    say(`x = ${number(x)}. ${flat.length ? `Flat: ${flat.join(", ")}` : "None is flat"}. ${curves.map((c) => `${c.name} ${told(c.values[at])}, slope ${told(c.slopes[at])}`).join("; ")}`);
  };
  draw();
  tabled(model, root, () => {
    const at = spec.x.indexOf(model.get("cursor"));
    return [[`at x = ${number(spec.x[at])}`, spec.value, spec.slope], ...curves.map((c) => [c.name, told(c.values[at]), told(c.slopes[at])])];
  });
  return listen(model, ["change:cursor"], draw);
}

export default { render };

// Two views of one picture: the label that the weak one gives, and what the strong one has to learn.
import { frame, identity, listen, keeper, node, number, parameterControls, stateText, three } from "./controls.js";
import { tabled } from "./numbers.js";
import { dragged, onWidth } from "./stage.js";

const PICTURE = "picture", THRESHOLD = "τ", STRENGTH = "strength";

// Where everything stands in a picture of this width; views_still.py does the same.
export function desk(width, classes) {
  const wide = width >= 640, roomy = width >= 820, side = wide ? 168 : 96, left = wide ? 24 : 12, start = left + side + (wide ? 56 : 22), stop = width - (roomy ? 220 : 14);
  const gap = (stop - start) / classes, tall = wide ? 132 : 92, base = [62 + tall, 62 + 2 * tall + 98];
  return { wide, roomy, width, side, left, start, stop, gap, tall, base, height: base[1] + (roomy ? 34 : 84), x: (place) => start + gap * (place + 0.5) };
}

// What is learnt at these values: the label, if it passes, and the loss.
export function lesson(spec, values) {
  const picture = spec.parameters[PICTURE].indexOf(values[PICTURE]), strength = spec.parameters[STRENGTH].indexOf(values[STRENGTH]);
  const q = spec.weak[picture], p = spec.strong[picture][strength], best = q.indexOf(Math.max(...q)), passes = q[best] >= values[THRESHOLD];
  return { picture, strength, q, p, best, passes, loss: passes ? -Math.log(Math.max(p[best], 1e-4)) : 0, name: spec.classes[best], right: spec.truths[picture] === best };
}

// A window on one view of the atlas; `look` moves the atlas under it.
function viewer(spec, x, y, side) {
  const columns = spec.parameters[STRENGTH].length + 1, rows = spec.parameters[PICTURE].length, id = identity();
  const image = node("image", { href: spec.atlas, width: columns * side, height: rows * side, class: "dlw-view", preserveAspectRatio: "none" });
  const element = node("g", {}, node("clipPath", { id }, node("rect", { x, y, width: side, height: side, rx: 4 })), node("g", { "clip-path": `url(#${id})` }, image),
    node("rect", { x, y, width: side, height: side, rx: 4, class: "dlw-edge" }));
  return { element, look: (column, row) => image.setAttribute("transform", `translate(${x - column * side} ${y - row * side})`) };
}

function rowOf(spec, at, part, title) {
  const base = at.base[part], view = viewer(spec, at.left, base - at.tall / 2 - at.side / 2, at.side);
  const bars = spec.classes.map((_, i) => node("rect", { class: "dlw-bar", x: at.x(i) - at.gap * 0.34, width: at.gap * 0.68 }));
  const names = spec.classes.map((name, i) => node("text", { x: at.x(i), y: base + 17, "text-anchor": "middle" }, name));
  const tops = spec.classes.map((_, i) => node("text", { x: at.x(i), "text-anchor": "middle", class: "dlw-top" }));
  const parts = [view.element, node("text", { x: at.wide ? at.start : at.left, y: base - at.tall - 24, class: "dlw-strong dlw-title-of" }, title),
    node("path", { class: "dlw-base", d: `M${at.start} ${base}H${at.stop}` }), ...bars, ...tops, ...names];
  const fill = (probabilities, chosen, marked) => probabilities.forEach((value, i) => {
    const high = Math.max(1.5, at.tall * value);
    bars[i].setAttribute("y", base - high);
    bars[i].setAttribute("height", high);
    [bars[i], names[i], tops[i]].forEach((one) => one.classList.toggle("dlw-chosen", i === chosen));
    tops[i].setAttribute("y", base - high - 5);
    tops[i].textContent = i === marked ? three(value) : "";
  });
  return { parts, fill, view };
}

function drawing(spec, width) {
  const at = desk(width, spec.classes.length), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const rows = ["weak view: gives the label", "strong view: learns it"].map((title, part) => rowOf(spec, at, part, title));
  const line = node("path", { class: "dlw-tau" }), tau = node("text", { class: "dlw-strong", x: at.start - 10, "text-anchor": "end" }, "τ");
  const arrow = node("path", { class: "dlw-arrow" }), words = [0, 1, 2].map((i) => node("text", at.roomy ? { x: at.stop + 22, y: at.base[1] - at.tall + 22 + 26 * i, class: "dlw-words" }
    : { x: at.left + [0, 92, 0][i], y: at.height - 14 - (i === 2 ? 0 : 22), class: "dlw-words" }));
  svg.append(arrow, ...rows[0].parts, ...rows[1].parts, line, tau, ...words);  // the arrow goes behind the words
  return { svg, at, rows, line, tau, arrow, words };
}

function show({ at, rows, line, tau, arrow, words }, now, threshold) {
  const chosen = now.passes ? now.best : -1, y = at.base[0] - at.tall * threshold, x = at.x(now.best), top = at.base[0] + 25;
  rows[0].fill(now.q, chosen, now.best);
  rows[1].fill(now.p, chosen, now.best);
  rows[0].view.look(0, now.picture);
  rows[1].view.look(1 + now.strength, now.picture);
  line.setAttribute("d", `M${at.start - 6} ${y}H${at.stop + 6}`);
  tau.setAttribute("y", y + 4);
  const end = at.base[1] - Math.max(1.5, at.tall * now.p[now.best]) - 22;
  arrow.setAttribute("d", now.passes ? `M${x} ${top}V${end}M${x - 7} ${end - 9}l7 9l7 -9` : `M${x} ${top}V${top + 14}M${x - 9} ${top + 14}h18`);
  arrow.classList.toggle("dlw-stopped", !now.passes);
  const told = now.passes ? [`label ${now.name}`, `loss ${three(now.loss)}`, now.right ? "the label is right" : "✗ the label is wrong"]
    : ["no label", "loss 0", "not sure enough"];
  words.forEach((word, i) => { word.textContent = told[i]; word.classList.toggle("dlw-bad", now.passes && !now.right && i === 2); });
}

// The line τ, taken along by a finger or the mouse.
function drag(svg, at, thresholds, change) {
  const to = (event) => {
    const box = svg.getBoundingClientRect(), y = ((event.clientY - box.top) * at.width) / box.width, part = (at.base[0] - y) / at.tall;
    change(thresholds.reduce((best, value) => (Math.abs(value - part) < Math.abs(best - part) ? value : best)));
  };
  const grip = node("rect", { class: "dlw-grip", x: at.start - 30, y: at.base[0] - at.tall - 8, width: at.stop - at.start + 36, height: at.tall + 8 });
  dragged(grip, to);
  svg.append(grip);
}

async function render({ model, el }) {
  const spec = model.get("spec"), { root, content, say } = frame(model, el, "views"), keep = keeper(model);
  const controls = parameterControls(model, keep), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const hold = node("div", { class: "dlw-hold" });
  let picture = null;
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), state);
  const draw = () => {
    const values = model.get("values"), now = lesson(spec, values), sure = three(now.q[now.best]);
    controls.update();
    state.textContent = stateText(values, spec.order);
    verdict.textContent = now.passes ? `The weak view is ${sure} sure of ${now.name}, at least τ = ${number(values[THRESHOLD])}: ${now.name} is the label, ${now.right ? "rightly" : "wrongly"}. The strong view gives it ${three(now.p[now.best])}, so the loss is ${three(now.loss)}.`
      : `The weak view is only ${sure} sure of ${now.name}, below τ = ${number(values[THRESHOLD])}: no label passes, and the picture adds no loss.`;
    if (picture) show(picture, now, values[THRESHOLD]);
    say(verdict.textContent);
  };
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width);
    hold.replaceChildren(picture.svg);
    drag(picture.svg, picture.at, spec.parameters[THRESHOLD], (value) => { if (value !== model.get("values")[THRESHOLD]) keep("values", { ...model.get("values"), [THRESHOLD]: value }); });
    draw();
  });
  const stop = listen(model, ["change:values"], draw);
  draw();
  tabled(model, root, () => {
    const { q, p } = lesson(spec, model.get("values"));
    return [["class", "weak view", "strong view"], ...spec.classes.map((name, i) => [name, three(q[i]), three(p[i])])];
  });
  return () => { unwatch(); stop(); };
}

export default { render };

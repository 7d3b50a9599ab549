// Two pictures mixed by mixup or CutMix, by hand, and what networks say of every mixture between them.
import { frame, inflatedBytes, keeper, listen, node, number, parameterControls, stateText, unpack } from "./controls.js";
import { dragged, onWidth } from "./stage.js";
import { kept, mix, run, shrunk } from "./mixed_rule.js";
import { drawing, look } from "./mixed_picture.js";

const ROW = "row", COLUMN = "column", WEIGHT = "λ";
const two = (p) => number(Number(p.toFixed(2))), percent = (p) => `${Math.round(100 * p)} %`;

// One network's numbers, cut out of the array that came from Python.
export function network(spec, numbers, at) {
  const inputs = (spec.side / spec.factor) ** 2, size = spec.hidden * (inputs + 1) + spec.classes * (spec.hidden + 1);
  let from = at * size;
  const take = (rows, columns) => Array.from({ length: rows }, () => Array.from(numbers.subarray(from, (from += columns))));
  const w1 = take(spec.hidden, inputs), [b1] = take(1, spec.hidden), w2 = take(spec.classes, spec.hidden), [b2] = take(1, spec.classes);
  return { w1, b1, w2, b2 };
}

// Probabilities of a network at every λ, [51][classes].
export function along(spec, net, pictures, how) {
  return spec.parameters[WEIGHT].map((weight) => run(net, shrunk(mix(...pictures, spec.side, { ...how, weight }), spec.side, spec.factor)));
}

function sentence(spec, how, share, answers) {
  const says = spec.networks.map((name, m) => { const p = answers[m], best = p.indexOf(Math.max(...p)); return `${name} says ${best} with ${two(p[best])}`; });
  const lead = how.rule === "mixup" ? `${percent(share)} of the first picture and ${percent(1 - share)} of the second: `
    : `Drawn: λ = ${two(how.weight)}, a box of ${percent(1 - how.weight)}. In the picture lie ${percent(1 - share)}, so the label gets ${two(share)} and ${two(1 - share)}. `;
  return `${lead}${says.join("; ")}.`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), [numbers, bytes] = await Promise.all([unpack(spec.numbers), inflatedBytes(spec.pixels)]);
  const { content, say } = frame(model, el, "mixed"), keep = keeper(model), count = spec.side ** 2, nets = spec.networks.map((_, m) => network(spec, numbers, m));
  const controls = parameterControls(model, keep, (name) => (name !== ROW && name !== COLUMN) || model.get("values").rule !== "mixup");
  const verdict = node("p", { class: "dlw-verdict" }), words = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  const pixels = (pair) => [0, 1].map((i) => Array.from(bytes.subarray((2 * pair + i) * count, (2 * pair + i + 1) * count), (v) => v / 255));
  let picture = null, known = "", rows = null;
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), words);
  const chosen = () => { const v = model.get("values"); return { rule: v.rule, weight: v[WEIGHT], row: v[ROW], column: v[COLUMN] }; };
  const draw = () => {
    const values = model.get("values"), how = chosen(), pair = spec.parameters.pair.indexOf(values.pair), index = spec.parameters[WEIGHT].indexOf(how.weight);
    const key = JSON.stringify([pair, how.rule, how.rule === "mixup" ? 0 : [how.row, how.column]]);
    if (key !== known) { known = key; rows = nets.map((net) => along(spec, net, pixels(pair), how)); }
    const [a, b] = spec.labels[pair], asked = spec.parameters[WEIGHT].map((weight) => kept(spec.side, { ...how, weight }));
    controls.update();
    words.textContent = stateText(values, spec.order);
    verdict.textContent = sentence(spec, how, asked[index], rows.map((all) => all[index]));
    if (picture) {
      look(picture, spec, pair, how);
      picture.charts.forEach((one, m) => {
        const other = rows[m].map((p) => Math.max(...p.filter((_, k) => k !== a && k !== b)));
        one.show({ weight: how.weight, index, curves: [rows[m].map((p) => p[a]), rows[m].map((p) => p[b]), other, asked] });
      });
    }
    say(verdict.textContent);
  };
  const nearest = (weight) => spec.parameters[WEIGHT].reduce((best, w) => (Math.abs(w - weight) < Math.abs(best - weight) ? w : best));
  const grip = (element, to) => dragged(element, (event, first) => {
    const box = element.getBoundingClientRect();
    to((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, first);
  });
  const weigh = (x) => keep("values", { ...model.get("values"), [WEIGHT]: nearest(x) });
  // The box comes along from where it was gripped; a mixture of mixup follows the pointer to the left and right.
  const listenToPointer = () => {
    let from = null;
    grip(picture.grip, (x, y, first) => {
      const values = model.get("values"), held = (v) => Math.max(0, Math.min(spec.side - 1, Math.round(v)));
      if (values.rule === "mixup") { weigh(x); return; }
      if (first) from = [x * spec.side - values[COLUMN], y * spec.side - values[ROW]];
      keep("values", { ...values, [COLUMN]: held(x * spec.side - from[0]), [ROW]: held(y * spec.side - from[1]) });
    });
    picture.charts.forEach((one) => grip(one.ground, weigh));
  };
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width);
    hold.replaceChildren(picture.svg);
    listenToPointer();
    draw();
  });
  const stop = listen(model, ["change:values"], draw);
  draw();
  return () => { unwatch(); stop(); };
}

export default { render };

// Draw a digit, and see what two networks make of it: every activation, the attention, and what each answer rests on.
import { button, choice, frame, inflatedBytes, keeper, listen, node } from "./controls.js";
import { answers } from "./draw_answers.js";
import { board, sheet } from "./draw_boards.js";
import { inside } from "./draw_inside.js";
import { cellOf, layersOf, occlusion, opened, spread } from "./draw_look.js";
import { SIDE, pad, pictured } from "./draw_pad.js";
import { siteFile } from "./site_file.js";
import { percent } from "./unit_products.js";

const LATER = 250; // milliseconds after the last stroke, before squares are covered
const best = (list) => list.reduce((top, v, i) => (v > list[top] ? i : top), 0);
const spot = ([map, y, x]) => `map ${map + 1}, row ${y + 1}, column ${x + 1}`;

async function render({ model, el }) {
  const spec = model.get("spec"), { content, say } = frame(model, el, "draw"), keep = keeper(model), names = spec.parameters.network;
  const bytes = await inflatedBytes(spec.samples), samples = spec.parameters.sample.map((_, i) => Float32Array.from(bytes.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), (level) => level / spec.top));
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  let nets = null, layers = [], boards = [], seen = {}, pixels = samples[0], at = [0, 0, 0, 0], query = 0, asked = 0, timer = 0, version = 0, falls = null;
  const line = node("p", { class: "dlw-verdict" }), left = node("div", { class: "dlw-layers" }), zoom = inside(), note = node("p", { class: "dlw-read" });
  const given = sheet("what the networks see", SIDE), drops = sheet("covered", SIDE), slopes = sheet("gradient", SIDE);
  const chosen = (name) => model.get("values")[name], network = () => chosen("network"), net = () => nets[network()], mine = () => seen[network()], digit = () => Number(chosen("explained"));
  const table = answers(names, (one) => set("explained")(String(one)));
  const words = () => {
    const { probabilities } = mine();
    note.textContent = `For the ${digit()}, which the ${network()} gives ${percent(probabilities[digit()])}: left, what it loses when a square of 4 × 4 is covered; right, the gradient. Blue ink speaks for a ${digit()}, or would if it were there; red speaks against it.`;
  };
  const explain = () => {
    table.explain(digit());
    words();
    slopes.signed(net().gradient(pixels, digit()), pixels, `gradient of the ${digit()} by each pixel`);
    if (falls) drops.signed(spread(falls, digit()), pixels, `what the ${digit()} loses where a square is covered`);
  };
  const cover = async () => {
    const own = ++version, found = await occlusion(net(), pixels, mine().probabilities, () => own === version);
    if (found) { falls = found; explain(); }
  };
  // The chosen cell of the ConvNet, or the token that looks around in the transformer.
  const mark = () => {
    if (layers.length) {
      const [number, ...place] = at, layer = layers[number];
      boards.forEach((each, i) => each.mark(i === number ? place : null));
      zoom.show(cellOf(net(), mine().results, layer, ...place), layer.name + (layer.side > 1 ? `, ${spot(place)}` : `: the ${place[0]}`));
    } else attended();
  };
  const attended = () => {
    const blocks = net().attention(seen.transformer.results), [, heads, tokens] = blocks[0].shape, side = Math.sqrt(tokens - 1);
    blocks.forEach(({ data }, b) => {
      const rows = Array.from({ length: heads }, (_, h) => data.subarray((h * tokens + query) * tokens + 1, (h * tokens + query + 1) * tokens));
      boards[b].paint(Float32Array.from(rows.flatMap((row) => { const top = Math.max(...row); return Array.from(row, (v) => v / top); })));
      boards[b].mark(query ? [0, Math.floor((query - 1) / side), (query - 1) % side] : null);
    });
  };
  const build = () => {
    const parts = [];
    const place = (b) => (to) => { if (layers.length) at = [b, ...to]; else query = to[1] * 7 + to[2] + 1; mark(); };
    const titled = (words, one) => parts.push(node("p", { class: "dlw-board-title" }, words), one.element);
    layers = layersOf(net(), mine().results).filter(() => network() === "ConvNet");
    zoom.element.hidden = !layers.length;
    if (layers.length) {
      const { data } = seen.ConvNet.results[layers[0].at], top = best(Array.from(data)), { side } = layers[0]; // at first the brightest cell
      at = [0, Math.floor(top / side ** 2), Math.floor(top / side) % side, top % side];
      boards = layers.map((layer, i) => {
      const made = board({ ...layer, across: Math.min(layer.side > 7 ? 8 : 16, layer.maps) }, place(i), (to) => `${spot(to)}: ${seen.ConvNet.results[layer.at].data[(to[0] * layer.side + to[1]) * layer.side + to[2]].toFixed(3)}`);
      titled(`${layer.name}: ${layer.maps} ` + (layer.side > 1 ? `maps, ${layer.side} × ${layer.side}` : "numbers, one a digit"), made);
      return made;
    }); } else {
      boards = net().attention(seen.transformer.results).map(({ shape }, b) => {
        const made = board({ name: `attention of block ${b + 1}`, maps: shape[1], side: 7, across: shape[1] }, place(b), (to) => `the patch in row ${to[1] + 1}, column ${to[2] + 1} looks around`);
        titled(`block ${b + 1}: where ${shape[1]} heads look`, made);
        return made;
      });
      parts.push(node("p", { class: "dlw-board-title" }, "Choose a patch to see where it looks. At first the class token looks."), node("div", { class: "dlw-playing" }, button("first", "the class token", () => { query = 0; mark(); }, "class token").element));
    }
    left.replaceChildren(...parts);
  };
  const run = () => {
    asked = 0;
    if (!nets) return;
    seen = Object.fromEntries(names.map((name) => [name, nets[name].look(pixels)]));
    if (!boards.length) build();
    behind.hidden = square.any() || !pixels.some((v) => v > 0);
    layers.forEach((layer, i) => boards[i].paint(seen.ConvNet.results[layer.at].data));
    given.grey(pixels);
    const both = names.map((name) => seen[name].probabilities), empty = !pixels.some((v) => v > 0);
    table.show(both);
    line.textContent = empty ? "Nothing is drawn yet: draw a digit, or pick one." : names.map((name, i) => `The ${name} says ${best(both[i])}, with ${percent(both[i][best(both[i])])}.`).join(" ");
    say(line.textContent);
    falls = null;
    version += 1;
    mark();
    explain();
    clearTimeout(timer);
    timer = setTimeout(cover, LATER);
  };
  const later = (given_) => { pixels = given_; asked ||= requestAnimationFrame(run); };
  const square = pad((strokes) => later(pictured(strokes))), back = sheet("", SIDE), behind = back.element.lastChild;
  behind.setAttribute("aria-hidden", "true");
  square.element.prepend(behind);
  const pick = (i) => { square.clear(); back.grey(samples[i]); later(samples[i]); };
  const thumbs = samples.map((one, i) => {
    const small = sheet(`sample: ${spec.parameters.sample[i]}`, SIDE), made = node("button", { type: "button", class: "dlw-sample", "aria-label": `sample: ${spec.parameters.sample[i]}`, onclick: () => { set("sample")(spec.parameters.sample[i]); pick(i); } });
    small.grey(one);
    made.append(small.element.lastChild);
    return made;
  });
  const which = choice("Network that is shown", names, set("network"));
  content.append(node("div", { class: "dlw-stage dlw-draw-stage" },
    node("div", { class: "dlw-drawing" }, node("p", { class: "dlw-board-title" }, "draw here"), square.element, node("div", { class: "dlw-playing" }, button("back", "take back the last stroke", () => square.undo(), "undo").element,
      button("minus", "clear", () => { square.clear(); later(pictured([])); }, "clear").element), given.element), left, zoom.element),
  node("div", { class: "dlw-samples", role: "group", "aria-label": "samples" }, ...thumbs), line, which.element,
  node("div", { class: "dlw-evidence" }, table.element, node("div", { class: "dlw-stage dlw-maps-of" }, drops.element, slopes.element)), note);
  const changed = () => {
    const sample = chosen("sample");
    which.update(network());
    if (sample !== changed.sample) pick(spec.parameters.sample.indexOf(sample));
    if (network() !== changed.network) boards = [];
    [changed.sample, changed.network] = [sample, network()];
    asked ||= requestAnimationFrame(run);
  };
  line.textContent = "Loading the two networks …";
  siteFile(model, spec.file).then((file) => { nets = opened(file); changed(); }, (error) => { line.textContent = error.message; say(error.message); });
  const stop = listen(model, ["change:values"], changed);
  return () => { version += 1; clearTimeout(timer); stop(); };
}

export default { render, opened, pictured, occlusion, spread, layersOf, cellOf };

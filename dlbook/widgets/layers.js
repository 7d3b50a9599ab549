// The units of a deep network in columns: the signal that each of them holds, and the gradient that comes back to it.
import { choice, frame, identity, inflatedBytes, keeper, listen, node, number, offset, slider, stateText } from "./controls.js";
import { tabled } from "./numbers.js";
import { onSight, onWidth, player, power, reader } from "./stage.js";

const NONE = 255;

// Strength as brightness; faint strengths fade a little faster than the logarithm, as eyes do.
export const light = (level, top) => level === NONE ? 0 : (level / top) ** 1.25;

// The strongest glow: their colour goes over into that of heat (white on the stage, black on paper).
function lit(rect, kind, level, top) {
  const part = light(level, top), heat = Math.round(Math.max(0, part - 0.75) * 200);
  rect.style.fillOpacity = part;
  rect.style.fill = heat ? `color-mix(in srgb, var(--dlw-hot) ${heat}%, var(--${kind}))` : "";
}

// Where everything stands in a picture of this width; layers_still.py does the same.
export function plan(width, layers, units) {
  const wide = width >= 640, [left, right] = wide ? [20, 104] : [8, 40];
  const column = (width - left - right) / layers, row = wide ? 15 : 13, top = wide ? 52 : 46, middle = 34;
  const x = (layer) => left + column * layer;
  const below = top + units * row + middle;
  return { wide, width, column, row, w: Math.min(34, column * 0.76), h: row - 4, x, left, right: width - right, top, below,
    y: [(unit) => top + row * unit, (unit) => below + row * unit], between: below - middle / 2, height: below + units * row + top };
}

// The colour of each strength, with its powers of ten.
function scale(spec, at, kind, right, y) {
  const parts = node("g"), size = at.wide ? 144 : 96, [low, high] = spec.decades, steps = 24;
  for (let i = 0; i < steps; i++) {
    const rect = (name) => node("rect", { class: name, x: Math.round(right) - size + (size / steps) * i, y, width: size / steps, height: 9, "shape-rendering": "crispEdges" });
    const lamp = rect(kind);
    lit(lamp, kind, i, steps - 1);
    parts.append(rect("dlw-unlit"), lamp);
  }
  parts.append(node("text", { x: right - size - 6, y: y + 9, "text-anchor": "end" }, power(low)), node("text", { x: right + 6, y: y + 9 }, power(high)));
  return parts;
}

function drawing(spec, width) {
  const { layers, units, outputs } = spec, at = plan(width, layers, units);
  const svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const lights = [0, 1].map((part) => Array.from({ length: layers }, (_, layer) => Array.from({ length: units }, (_, unit) => node("rect", {
    class: part ? "dlw-orange" : "dlw-blue", x: at.x(layer), y: at.y[part](unit), width: at.w, height: at.h, rx: at.h / 2 }))));
  const bases = lights.map((columns) => columns.map((column) => column.map((rect) => {
    const base = rect.cloneNode();
    base.setAttribute("class", "dlw-unlit");
    return base;
  })));
  const columns = lights.map((part) => part.map((column) => node("g", { class: "dlw-lights" }, ...column)));
  const hops = [at.top - 5, at.height - at.top + 1].map((y, part) => node("path", { class: "dlw-hops",
    d: Array.from({ length: layers - 2 }, (_, i) => `M${at.x(i) + at.w / 2} ${y}a${at.column / 2} 9 0 0 ${1 - part} ${at.column} 0`).join("") }));
  const every = at.wide ? 1 : 5;
  const names = Array.from({ length: layers }, (_, i) => (i === 0 || (i + 1) % every === 0 ? node("text", { x: at.x(i) + at.w / 2, y: at.between + 4,
    "text-anchor": "middle" }, i + 1) : null)).filter(Boolean);
  const words = outputs.flatMap((name, i) => [0, 1].map((part) => node("text", { x: at.x(layers - 1) + at.w + 7, y: at.y[part](i) + at.h - 0.5 }, name)));
  const cursor = node("rect", { class: "dlw-here", y: at.top - 5, width: at.w + 8, height: at.height - 2 * at.top + 8, rx: 7, visibility: "hidden" });
  const front = node("path", { class: "dlw-front", visibility: "hidden" });
  svg.append(...bases.flat(2), ...columns.flat(), ...hops, ...names, ...words, ...turn(at), cursor, front,
    node("text", { class: "dlw-loud dlw-blue", x: at.left, y: 26 }, "signal →"), scale(spec, at, "dlw-blue", width - (at.wide ? 34 : 22), 16),
    node("text", { class: "dlw-loud dlw-orange", x: at.left, y: at.height - 16 }, "← gradient"), scale(spec, at, "dlw-orange", width - (at.wide ? 34 : 22), at.height - 26));
  return { svg, at, lights, bases, columns, hops, cursor, front };
}

// The turn at the right end, where the signal becomes a loss, and the loss a gradient.
function turn(at) {
  const x = at.right + (at.wide ? 32 : 16), bend = at.wide ? 36 : 16, [up, down] = at.y.map((y) => y(0) + (at.below - at.top - 34) / 2);
  const arrow = at.wide ? 7 : 5, middle = at.between;
  return [node("path", { class: "dlw-turn dlw-goes", d: `M${x} ${up}C${x + bend / 2} ${up} ${x + bend} ${(up + middle) / 2} ${x + bend} ${middle - 11}` }),
    node("path", { class: "dlw-turn dlw-comes", d: `M${x + bend} ${middle + 11}C${x + bend} ${(down + middle) / 2} ${x + bend / 2} ${down} ${x} ${down}m${arrow} ${-arrow}l${-arrow} ${arrow}l${arrow} ${arrow}` }),
    at.wide ? node("text", { x: x + bend, y: middle + 4.5, "text-anchor": "middle", class: "dlw-strong" }, "loss") : null].filter(Boolean);
}

// Where the wave is: 0 to 1 the signal on its way to the right, 1 to 2 the gradient on its way back.
function reveal({ at, columns, front }, layers, wave) {
  const back = wave > 1, place = back ? 2 - wave : wave;
  columns[0].forEach((column, i) => column.classList.toggle("dlw-dark", !back && i >= place * layers));
  columns[1].forEach((column, i) => column.classList.toggle("dlw-dark", !back || i < place * layers));
  const x = at.left + place * at.column * layers - (at.column - at.w) / 2, [top, bottom] = back ? [at.between + 12, at.height - at.top + 2] : [at.top - 4, at.between - 12];
  front.setAttribute("d", `M${x} ${top}V${bottom}`);
  front.setAttribute("class", `dlw-front ${back ? "dlw-returns" : ""}`);
  front.setAttribute("visibility", wave > 0 && wave < 2 ? "visible" : "hidden");
}

// A small curve of how the training went, with the level that somebody who guesses would hold.
function trace(history, values) {
  const svg = node("svg", { class: "dlw-trace", viewBox: "0 0 300 84", "aria-hidden": "true" });
  const text = node("p", { class: "dlw-end" });
  const y = (part) => 78 - 72 * part, x = (i) => 2 + (296 * i) / (history.steps - 1);
  const draw = (at) => {
    const line = Array.from(values.subarray(at * history.steps, (at + 1) * history.steps)), broken = line.indexOf(NONE);
    const d = line.slice(0, broken < 0 ? undefined : broken).map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v / (NONE - 1)).toFixed(1)}`).join("");
    svg.replaceChildren(node("path", { class: "dlw-floor", d: "M2 78H298" }),
      node("path", { class: "dlw-guess", d: `M2 ${y(history.reference / history.limit)}H298` }), node("path", { class: "dlw-course", d: d || "M0 0" }));
    const end = history.ends[at] === null ? "diverged" : number(history.ends[at], 3);
    text.replaceChildren(`${history.label} `, node("b", {}, end), ` (dashes: ${history.reference_name})`);
    return `${history.label} at the end: ${end}`;
  };
  return { element: node("div", { class: "dlw-control" }, text, svg), draw };
}

// The pictures that can go in, as radio buttons.
function pictures({ parameter, images }, names, change) {
  const group = identity();
  const radios = names.map((name) => node("input", { type: "radio", name: group, value: name, onchange: () => change(name) }));
  const labels = radios.map((radio, i) => node("label", { class: "dlw-picture" }, radio,
    node("img", { src: images[i], alt: `${parameter} ${names[i]}`, width: 28, height: 28 })));
  return { element: node("fieldset", { class: "dlw-pictures" }, node("legend", {}, `${parameter} that goes in`), ...labels),
    update: (value) => radios.forEach((radio) => { radio.checked = radio.value === value; }) };
}

function controlsOf(spec, keep, model) {
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  return spec.order.filter((name) => spec.parameters[name].length > 1).map((name) => {
    const values = spec.parameters[name];
    if (name === spec.pictures?.parameter) return { name, picture: true, ...pictures(spec.pictures, values, set(name)) };
    return { name, ...(typeof values[0] === "string" ? choice : slider)(name, values, set(name)) };
  });
}

// Strength of a layer: the root of the mean square over its units, as a power of ten.
function strength(spec, levels) {
  const [low, high] = spec.decades, there = levels.filter((level) => level !== NONE);
  const squares = [...there].reduce((sum, level) => sum + (level ? 10 ** (2 * (low + level / spec.per_decade)) : 0), 0);
  const exponent = Math.log10(Math.sqrt(squares / there.length));
  if (!(exponent > low + 0.5)) return `${power(low)} or less`;
  return exponent >= high + 0.15 ? `more than ${power(high)}` : `about ${power(Math.round(exponent))}`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), { layers, units, per_decade, decades } = spec;
  // signal and gradient, setting, layer, unit: the strength in steps above the lowest power of ten
  const bytes = await inflatedBytes(spec.levels), history = spec.history && trace(spec.history, await inflatedBytes(spec.history.course));
  const top = per_decade * (decades[1] - decades[0]), half = bytes.length / 2;
  const { root, content, say } = frame(model, el, "layers");
  const controls = controlsOf(spec, keeper(model), model);
  let picture = null, read = null, wave = 2;
  const levels = (part, layer) => {
    const start = part * half + (offset(spec.parameters, spec.order, model.get("values")) * layers + layer) * units;
    return bytes.subarray(start, start + units);
  };
  const diverged = () => levels(0, 0).every((level) => level === NONE);
  const of = (layer) => diverged() ? `layer ${layer + 1}: diverged` : `layer ${layer + 1} of ${layers}: signal ${strength(spec, levels(0, layer))}, gradient ${strength(spec, levels(1, layer))}`;
  const line = node("p", { class: "dlw-read" }), verdict = node("p", { class: "dlw-verdict" });
  const state = node("p", { class: "dlw-state" });
  const cross = node("p", { class: "dlw-diverged", hidden: true }, "diverged");
  const place = reader("layer", layers, of, (at) => { read = at; mark(); });
  const mark = () => {
    line.textContent = read === null ? spec.hint : of(read);
    if (!picture) return;
    picture.cursor.setAttribute("visibility", read === null ? "hidden" : "visible");
    picture.cursor.setAttribute("x", picture.at.x(read ?? 0) - 4);
  };
  const paint = () => picture.lights.forEach((part, p) => part.forEach((column, layer) => {
    const now = levels(p, layer);
    column.forEach((rect, unit) => {
      lit(rect, p ? "dlw-orange" : "dlw-blue", now[unit], top);
      picture.bases[p][layer][unit].style.visibility = now[unit] === NONE && !diverged() ? "hidden" : "";
    });
  }));
  const show = (part) => { wave = 2 * part; if (picture) reveal(picture, layers, wave); };
  const play = player(5, 1 / (2 * layers), show, "send a picture through");
  const scene = node("div", { class: "dlw-scene" }, ...controls.filter((c) => c.picture).map((c) => c.element), place.element);
  content.append(node("div", { class: "dlw-stage dlw-area" }, scene, cross), verdict,
    node("div", { class: "dlw-playing" }, ...play.elements, line),
    node("div", { class: "dlw-controls" }, ...controls.filter((c) => !c.picture).map((c) => c.element), history ? history.element : null), state);
  const draw = () => {
    const values = model.get("values");
    controls.forEach((control) => control.update(values[control.name]));
    const end = history ? history.draw(offset(spec.parameters, spec.history.parameters, values)) : "";
    const broken = diverged(), from = (part, layer) => strength(spec, levels(part, layer));
    cross.hidden = !broken;
    const words = stateText(values, spec.order);
    state.textContent = [words, end].filter(Boolean).join(". ");
    verdict.textContent = broken ? "Diverged: at this setting the numbers grew until they were no numbers."
      : `Signal: ${from(0, 0)} in layer 1, ${from(0, layers - 1)} in layer ${layers}. Gradient: ${from(1, layers - 1)} in layer ${layers}, ${from(1, 0)} in layer 1.`;
    if (picture) { paint(); picture.hops.forEach((path) => path.classList.toggle("dlw-on", !!spec.shortcuts && values[spec.shortcuts[0]] === spec.shortcuts[1])); }
    place.update();
    say(`${words}. ${verdict.textContent} ${end}`);
  };
  const unwatch = onWidth(place.element, (width) => {
    picture = drawing(spec, width);
    place.element.replaceChildren(picture.svg);
    place.measure((event) => {
      const box = picture.svg.getBoundingClientRect();
      return Math.floor(((event.clientX - box.left) * (width / box.width) - picture.at.left + (picture.at.column - picture.at.w) / 2) / picture.at.column);
    });
    draw();
    reveal(picture, layers, wave);
    mark();
  });
  draw();
  tabled(model, root, () => [["layer", "signal", "gradient"], ...Array.from({ length: layers }, (_, layer) =>
    [String(layer + 1), ...[0, 1].map((part) => diverged() ? "diverged" : strength(spec, levels(part, layer)))])]);
  const unsee = onSight(scene, play.start), stop = listen(model, ["change:values"], draw);
  return () => { play.stop(); unwatch(); unsee(); stop(); };
}

export default { render };

// A flow through depth: a river from the right to the left through blocks, as wide as the logarithm of what is carried.
import { button, calm, choice, frame, keeper, listen, node, number, offset, slider, stateText, unpack } from "./controls.js";
import { tabled } from "./numbers.js";
import { onWidth, power, reader } from "./stage.js";

const STREAMS = [-0.88, -0.71, -0.55, -0.37, -0.2, -0.04, 0.13, 0.29, 0.46, 0.62, 0.78, 0.92];  // parts of the way to a bank
const BETWEEN = 6;  // points of the bank from one block to the next

// Where everything stands in a picture of this width; flow_still.py does the same.
export function bed(width, blocks, [low, high]) {
  const wide = width >= 640, left = wide ? 84 : 54, right = wide ? 66 : 20, gap = (width - left - right) / blocks;
  const full = wide ? 264 : 180, top = wide ? 108 : 96, middle = top + full / 2;
  const across = (exponent) => 5 + ((full - 5) * (exponent - low)) / (high - low);
  return { wide, width, left, right: width - right, gap, top, full, middle, across, x: (block) => left + gap * (block + 0.5),
    bottom: top + full, height: top + full + 44, box: Math.min(16, gap * 0.62), row: top - 34 };
}

// Logarithms at the blocks as many points: a smooth line through all of them, level beyond both ends.
function smooth(logs) {
  const at = (i) => logs[Math.max(0, Math.min(logs.length - 1, i))], points = [];
  for (let i = -1; i < logs.length; i++) for (let k = 0; k < BETWEEN; k++) {
    const t = k / BETWEEN, [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    points.push([i + t, b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))]);
  }
  return [...points, [logs.length, at(logs.length)]];
}

function shore(at, logs, part) {
  return smooth(logs).map(([block, log]) => [Math.max(at.left, Math.min(at.right, at.x(block))), (at.across(log) / 2) * part]);
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// The water between both banks, and the lines in it; `logs` are powers of ten above or below the flow at the source.
function water(at, logs) {
  const side = (part) => shore(at, logs, part).map(([x, y]) => [x, at.middle + y]);
  const area = `${path(side(-1))}${path(side(1).reverse()).replace("M", "L")}Z`;
  return { area, lines: STREAMS.map((part) => path(side(part).reverse())), shores: path(side(-1)) + path(side(1)) };
}

// The network above the river: blocks, with arcs over them and valves below them where the reader has put them in.
function network(at, blocks) {
  const size = at.box, y = at.row, parts = node("g", { class: "dlw-network" });
  const rail = node("path", { class: "dlw-rail-line", d: `M${at.left} ${y}H${at.right}` });
  const boxes = Array.from({ length: blocks }, (_, i) => node("rect", { class: "dlw-stone", x: at.x(i) - size / 2, y: y - size / 2, width: size, height: size, rx: 3 }));
  const arcs = node("path", { class: "dlw-hops", d: boxes.map((_, i) => `M${at.x(i) - at.gap / 2} ${y}c0 ${-size * 1.5} ${at.gap} ${-size * 1.5} ${at.gap} 0`).join("") });
  const half = Math.min(5, size / 2.4), v = y + size / 2 + half + 4;
  const valves = node("path", { class: "dlw-valves", d: boxes.map((_, i) => `M${at.x(i) - half} ${v - half}v${2 * half}L${at.x(i) + half} ${v - half}v${2 * half}Z`).join("") });
  parts.append(rail, ...boxes, arcs, valves);
  return { parts, boxes, arcs, valves };
}

// Lines of equal width, with their powers of ten at the left end.
function gauge(at, [low, high]) {
  const every = at.across(1) - at.across(0) < 28 ? 2 : 1, parts = [];
  for (let exponent = Math.ceil(low); exponent <= high; exponent++) {
    const half = at.across(exponent) / 2;
    if (exponent % every && exponent !== 0) continue;
    parts.push(node("path", { class: exponent ? "dlw-gauge" : "dlw-bank", d: [-1, 1].map((s) => `M${at.left} ${at.middle + s * half}H${at.right}`).join("") }));
    if (exponent >= 0) parts.push(node("text", { x: at.left - 8, y: at.middle - half + 4, "text-anchor": "end" }, `× ${power(exponent)}`));
  }
  return parts;
}

function drawing(spec, width) {
  const at = bed(width, spec.blocks, spec.range), bank = at.across(0);
  const svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const id = `dlw-bed-${Math.random().toString(36).slice(2, 9)}`;
  const clip = node("clipPath", { id }, node("rect", { x: 0, y: at.middle - bank / 2, width, height: bank }));
  const flood = node("path", { class: "dlw-flood" }), river = node("path", { class: "dlw-water", "clip-path": `url(#${id})` });
  const lines = STREAMS.map((_, i) => node("path", { class: "dlw-stream", style: `--dlw-at:${-((i * 53) % 90)}px;--dlw-long:${14 + ((i * 29) % 31)}px` }));
  const shores = node("path", { class: "dlw-shore" });
  const net = network(at, spec.blocks), here = node("path", { class: "dlw-here", visibility: "hidden" });
  const stages = spec.stages.flatMap((name, i) => {
    const from = at.left + (at.gap * spec.blocks * i) / spec.stages.length, to = at.left + (at.gap * spec.blocks * (i + 1)) / spec.stages.length;
    return [i ? node("path", { class: "dlw-lock", d: `M${from} ${at.row - 14}V${at.bottom + 6}` }) : null,
      node("text", { x: (from + to) / 2, y: at.bottom + 24, "text-anchor": "middle" }, name)].filter(Boolean);
  });
  const size = node("text", { class: "dlw-loud dlw-size", x: at.left + 10, "text-anchor": "start" });
  svg.append(clip, node("rect", { class: "dlw-dry", x: at.left, y: at.middle - bank / 2, width: at.right - at.left, height: bank }),
    flood, river, ...lines, shores, ...gauge(at, spec.range), ...stages, net.parts, size, here,
    node("text", { class: "dlw-loud dlw-orange", x: at.left, y: 27 }, `← ${spec.carried}`),
    at.wide ? node("text", { x: at.right, y: 27, "text-anchor": "end" }, "width in powers of ten; dashed banks: as wide as at the last block") : "",
    node("text", { x: at.left - 8, y: at.row + 4.5, "text-anchor": "end" }, spec.mouth),
    at.wide ? node("text", { x: at.right + 10, y: at.middle + 4.5, class: "dlw-strong" }, spec.source)
      : node("text", { x: at.right + 14, y: at.row - 16, "text-anchor": "end" }, spec.source));
  const fill = (logs) => {
    const { area, lines: drawn, shores: both } = water(at, logs);
    flood.setAttribute("d", area);
    river.setAttribute("d", area);
    shores.setAttribute("d", both);
    drawn.forEach((d, i) => lines[i].setAttribute("d", d));
  };
  return { svg, at, fill, net, here, size, wet: [flood, river, shores, ...lines] };
}

// From one state to the next in half a second; at once for readers who ask for less motion.
function morph(fill) {
  let shown = null, asked = 0;
  const to = (logs, still = false) => {
    cancelAnimationFrame(asked);
    if (still || calm() || !shown || shown.length !== logs.length) { shown = logs; fill(logs); return; }
    const from = shown, begin = performance.now();
    const tick = (now) => {
      const t = Math.min(1, (now - begin) / 550), ease = t * t * (3 - 2 * t);
      shown = from.map((a, i) => a + (logs[i] - a) * ease);
      fill(shown);
      if (t < 1) asked = requestAnimationFrame(tick);
    };
    asked = requestAnimationFrame(tick);
  };
  return { to, stop: () => cancelAnimationFrame(asked) };
}

// How often as large as at the source: × 1,700, ÷ 100; in words "1,700 times" and "1/100 of".
const digits = (log) => Number((10 ** Math.abs(log)).toPrecision(2)).toLocaleString("en-US");
const times = (log) => `${log >= -0.005 ? "×" : "÷"} ${digits(log)}`;
const part = (log) => (log >= -0.005 ? `${digits(log)} times` : `1/${digits(log)} of`);
const course = (log) => log > 2 ? "a flood" : log <= -1.9 ? "nearly dry" : "a river";

async function render({ model, el }) {
  const spec = model.get("spec"), values = await unpack(spec.values), { blocks } = spec;
  const { root, content, say } = frame(model, el, "river"), keep = keeper(model);
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  const controls = spec.order.filter((name) => spec.parameters[name].length > 1).map((name) => ({ name,
    ...(typeof spec.parameters[name][0] === "string" ? choice : slider)(name, spec.parameters[name], set(name)) }));
  const line = node("p", { class: "dlw-read" }), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const cross = node("p", { class: "dlw-diverged", hidden: true }, "diverged");
  let picture = null, moving = null, read = null, setting = 0;
  const now = (block) => values[setting * blocks + block];
  const logs = () => Array.from({ length: blocks }, (_, block) => Math.log10(now(block) / now(blocks - 1)));
  const broken = () => !logs().every(Number.isFinite);
  const of = (block) => broken() ? `block ${block + 1}: diverged`
    : `block ${block + 1} of ${blocks}: ${spec.carried} ${number(now(block), 3)}, ${part(logs()[block])} the last block's`;
  const place = reader("block", blocks, of, (at) => { read = at; mark(); });
  const mark = () => {
    line.textContent = read === null ? spec.hint : of(read);
    picture?.here.setAttribute("visibility", read === null ? "hidden" : "visible");
    picture?.here.setAttribute("d", `M${picture.at.x(read ?? 0)} ${picture.at.row - picture.at.box / 2 - 4}V${picture.at.bottom}`);
    picture?.net.boxes.forEach((box, i) => box.classList.toggle("dlw-chosen", i === read));
  };
  const flows = button("pause", "pause", () => run(!stage.classList.contains("dlw-flowing")));
  const stage = node("div", { class: "dlw-stage dlw-area" }, place.element, cross);
  const run = (on) => {
    stage.classList.toggle("dlw-flowing", on);
    flows.sign(on ? "pause" : "play");
    flows.element.setAttribute("aria-label", on ? "pause" : "let it flow");
    flows.element.title = on ? "pause" : "let it flow";
  };
  flows.element.hidden = calm();
  content.append(stage, verdict, node("div", { class: "dlw-playing" }, flows.element, line),
    node("div", { class: "dlw-controls" }, ...controls.map((control) => control.element)), state);
  const chosen = (pair) => !!pair && model.get("values")[pair[0]] === pair[1];
  const draw = (still) => {
    const chosenNow = model.get("values"), words = stateText(chosenNow, spec.order);
    controls.forEach((control) => control.update(chosenNow[control.name]));
    setting = offset(spec.parameters, spec.order, chosenNow);
    const first = logs()[0], gone = broken(), extra = spec.reading ? ` ${spec.reading.label}: ${spec.reading.values[setting] === null ? "diverged" : number(spec.reading.values[setting], 3)}.` : "";
    cross.hidden = !gone;
    verdict.textContent = (gone ? "Diverged: the numbers grew until they were no numbers." : `At block 1 the ${spec.carried} is ${part(first)} the last block's: ${course(first)}.`) + extra;
    state.textContent = words;
    if (picture) {
      picture.wet.forEach((part) => part.setAttribute("visibility", gone ? "hidden" : "visible"));
      picture.net.arcs.classList.toggle("dlw-on", chosen(spec.shortcuts));
      picture.net.valves.classList.toggle("dlw-on", chosen(spec.valves));
      picture.size.textContent = gone ? "" : times(first);
      picture.size.setAttribute("y", picture.at.middle + 5);
      if (!gone) moving.to(logs(), still === true);
    }
    place.update();
    say(`${words}. ${verdict.textContent}`);
  };
  const unwatch = onWidth(place.element, (width) => {
    moving?.stop();
    picture = drawing(spec, width);
    moving = morph(picture.fill);
    place.element.replaceChildren(picture.svg);
    place.measure((event) => {
      const box = picture.svg.getBoundingClientRect();
      return Math.floor(((event.clientX - box.left) * (width / box.width) - picture.at.left) / picture.at.gap);
    });
    draw(true);
    mark();
  });
  tabled(model, root, () => [["block", spec.carried, "of the last block's"], ...Array.from({ length: blocks }, (_, block) =>
    [String(block + 1), broken() ? "diverged" : number(now(block), 3), broken() ? "" : number(10 ** logs()[block], 3)])]);
  run(!calm());
  draw(true);
  const stop = listen(model, ["change:values"], draw);
  return () => { moving?.stop(); unwatch(); stop(); };
}

export default { render };

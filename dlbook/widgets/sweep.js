// The graph of a computation, stepped through: values in blue, derivatives in orange, the edges of the step lit with their local derivatives.
import { button, calm, choice, frame, identity, keeper, listen, node, ordered, slider, stateText } from "./controls.js";
import { onWidth } from "./stage.js";
import { evaluated, short, symbol, walk } from "./sweep_walk.js";

const LIES = 560;

// Where everything stands in a picture of this width; sweep_still.py does the same.
export function bed(cells, width) {
  const lying = width >= LIES, columns = Math.max(...cells.map((cell) => cell.column), 1), rows = cells.map((cell) => cell.row);
  const low = Math.min(...rows), high = Math.max(...rows);
  if (lying) {
    const gap = (width - 92) / columns;
    return { lying, radius: 23, height: 124 + 96 * (high - low), place: (cell) => [46 + gap * cell.column, 62 + 96 * (cell.row - low)] };
  }
  const across = (width - 120) / Math.max(high - low, 1), left = high > low ? 42 : width / 2 - 30;
  return { lying, radius: 20, height: 68 + 62 * columns, place: (cell) => [left + across * (cell.row - low), 34 + 62 * cell.column] };
}

// The line of an edge, from the rim of one circle to that of the other; two edges between the same nodes part.
function line(from, to, radius, bend) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]], long = Math.hypot(dx, dy), [ux, uy] = [dx / long, dy / long];
  const middle = [(from[0] + to[0]) / 2 - uy * bend, (from[1] + to[1]) / 2 + ux * bend];
  const start = [from[0] + ux * radius, from[1] + uy * radius], end = [to[0] - ux * (radius + 6), to[1] - uy * (radius + 6)];
  return { d: `M${start}Q${middle} ${end}`, middle: [(from[0] + to[0]) / 4 + middle[0] / 2, (from[1] + to[1]) / 4 + middle[1] / 2], turn: Math.atan2(end[1] - middle[1], end[0] - middle[0]), end };
}

function drawing(cells, width, pick) {
  const at = bed(cells, width), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" }), edges = new Map();
  const labels = node("g"), lines = node("g");
  cells.forEach((cell, number) => cell.operands.forEach((operand, k) => {
    const same = cell.operands.filter((other) => other === operand).length > 1;
    const made = line(at.place(cells[operand]), at.place(cell), at.radius, same ? (k ? 24 : -24) : 0);
    const path = node("path", { class: "dlw-edge", d: made.d }), degrees = (made.turn * 180) / Math.PI;
    const tip = node("path", { class: "dlw-tip", d: "M-7 -4.5L3 0L-7 4.5Z", transform: `translate(${made.end}) rotate(${degrees})` });
    const text = node("text", { class: "dlw-slope", x: made.middle[0], y: made.middle[1] + 4, "text-anchor": "middle" });
    lines.append(path, tip);
    labels.append(text);
    edges.set(`${number},${k}`, { path, tip, text });
  }));
  const discs = cells.map((cell, number) => {
    const [x, y] = at.place(cell), r = at.radius, beside = { x: x + r + 4, "text-anchor": "start" }, over = { x, "text-anchor": "middle" };
    const disc = node("circle", { class: "dlw-disc", cx: x, cy: y, r });
    const value = node("text", { class: "dlw-blue", ...(at.lying ? { ...over, y: y + r + 16 } : { ...beside, y: y - 3 }) });
    const slope = node("text", { class: "dlw-orange", ...(at.lying ? { ...over, y: y - r - 6 } : { ...beside, y: y + 13 }) });
    const group = node("g", { class: "dlw-cell", onclick: () => pick(number) }, disc,
      node("text", { class: "dlw-strong", x, y: y + (cell.op ? 1 : 5), "text-anchor": "middle" }, symbol(cell)),
      cell.op ? node("text", { class: "dlw-own", x, y: y + 14, "text-anchor": "middle" }, cell.name) : null, value, slope);
    return { group, value, slope };
  });
  svg.append(lines, ...discs.map((disc) => disc.group), labels);
  return { svg, edges, discs };
}

// Show one step: what is known, what lights up.
function show({ edges, discs }, graph, step) {
  const lit = new Set(step.edges.map(String));
  edges.forEach(({ path, tip, text }, key) => {
    const on = lit.has(key), [at, k] = key.split(",").map(Number);
    for (const part of [path, tip]) part.classList.toggle("dlw-lit", on && !step.values);
    for (const part of [path, tip]) part.classList.toggle("dlw-fed", on && Boolean(step.values));
    text.textContent = on && !step.values ? `× ${short(graph.slopes[at][k])}` : "";
  });
  discs.forEach(({ group, value, slope }, at) => {
    group.classList.toggle("dlw-known", step.known.has(at));
    group.classList.toggle("dlw-found", step.found.has(at));
    group.classList.toggle("dlw-now", step.at === at);
    value.textContent = step.known.has(at) ? short(graph.values[at]) : "";
    slope.textContent = step.found.has(at) ? short(step.found.get(at)) : "";
  });
}

// Buttons and a slider over the steps, and play where the reader's system does not ask for less motion.
function stepping(go, seconds) {
  const id = identity();
  let at = 0, last = 0, timer = null;
  const stop = () => { clearInterval(timer); timer = null; play.sign("play"); play.element.setAttribute("aria-label", "play"); };
  const by = (to) => () => { stop(); go(to()); };
  const play = button("play", "play", () => {
    if (timer) return stop();
    if (at === last) go(0);
    timer = setInterval(() => (at >= last ? stop() : go(at + 1)), seconds(last) * 1000);
    play.sign("pause");
    play.element.setAttribute("aria-label", "pause");
  });
  play.element.hidden = calm();
  const first = button("first", "first step", by(() => 0)), back = button("back", "previous step", by(() => at - 1));
  const next = button("next", "next step", by(() => at + 1), "next"), end = button("last", "last step", by(() => last));
  const range = node("input", { type: "range", id, min: 0, step: 1, oninput: by(() => Number(range.value)) }), count = node("label", { for: id, class: "dlw-count" });
  const update = (now, most) => {
    [at, last] = [now, most];
    if (timer && at === last) stop();
    range.max = last;
    range.value = at;
    range.setAttribute("aria-valuetext", `step ${at} of ${last}`);
    range.style.setProperty("--dlw-part", last ? `${(100 * at) / last}%` : "0%");
    count.textContent = `step ${at} of ${last}`;
    [first, back].forEach((b) => b.enable(at > 0));
    [next, end].forEach((b) => b.enable(at < last));
  };
  return { element: node("div", { class: "dlw-steps" }, first.element, back.element, next.element, end.element, play.element, range, count), update, stop };
}

function render({ model, el }) {
  const spec = model.get("spec"), { cells, parameters } = spec;
  const { content, say } = frame(model, el, "sweep"), keep = keeper(model);
  let graph, steps, picture;
  const prepare = () => {
    graph = evaluated(cells, model.get("values"));
    steps = walk(model.get("values").way, cells, graph);
  };
  const last = () => steps.length - 1, now = () => Math.min(last(), Math.max(0, model.get("step")));
  const go = (to) => { const next = Math.min(last(), Math.max(0, to)); if (next !== model.get("step")) keep("step", next); };
  const buttons = stepping(go, (count) => (count > 24 ? 0.25 : 0.9));
  const pick = (at) => {  // the next step in which this node takes part
    const uses = (step) => step.at === at || step.edges.some(([cell, k]) => cell === at || cells[cell].operands[k] === at);
    const next = steps.findIndex((step, number) => number > now() && uses(step));
    buttons.stop();
    go(next < 0 ? Math.max(0, steps.findIndex(uses)) : next);
  };
  const controls = ordered(spec).filter((name) => parameters[name].length > 1).map((name) =>
    [name, (typeof parameters[name][0] === "string" ? choice : slider)(name, parameters[name], (value) => {
      if (name === "way") { buttons.stop(); keep("step", 0); }
      keep("values", { ...model.get("values"), [name]: value });
    })]);
  const stage = node("div", { class: "dlw-stage" }), words = node("p", { class: "dlw-words" }), counts = node("p", { class: "dlw-verdict" }), told = node("p", { class: "dlw-state" });
  content.append(stage, buttons.element, words, counts, node("div", { class: "dlw-controls" }, ...controls.map(([, control]) => control.element)), told);
  const draw = () => {
    const step = steps[now()];
    if (picture) show(picture, graph, step);
    buttons.update(now(), last());
    words.textContent = step.words;
    counts.textContent = `${model.get("values").way}: ${step.products} products and ${step.sums} sums so far. ${step.results ?? ""}`;
    told.textContent = `${stateText(model.get("values"))}, step ${now()} of ${last()}`;
    say(`${step.words} ${step.results ?? ""}`);
  };
  const anew = () => { prepare(); controls.forEach(([name, control]) => control.update(model.get("values")[name])); draw(); };
  anew();
  const unwatch = onWidth(stage, (width) => { picture = drawing(cells, width, pick); stage.replaceChildren(picture.svg); draw(); });
  const stops = [listen(model, ["change:values"], anew), listen(model, ["change:step"], draw)];
  return () => { buttons.stop(); unwatch(); stops.forEach((stop) => stop()); };
}

export default { render };

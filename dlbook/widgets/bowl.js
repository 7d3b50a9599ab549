// Balls in a bowl: SGD with noisy gradients on a quadratic of two weights, and the floor at which it stalls.
import { button, choice, frame, identity, keeper, listen, node, number, slider, stateText, three } from "./controls.js";
import { evenly, tabled } from "./numbers.js";
import { onSight, onWidth, player, power } from "./stage.js";

const RATE = "learning rate", SCHEDULE = "schedule", TRAIL = 16, RINGS = [0.25, 0.5, 0.75], SPOKES = 12, SECONDS = 12;

// Numbers in [0, 1): the generator mulberry32. bowl.py has the same.
export function uniform(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The noise of all updates and balls, two directions each, of variance noise² together: Box and Muller.
export function pushes({ seed, copies, noise, factors }) {
  const draw = uniform(seed), made = new Float64Array(2 * copies * factors[0].length);
  for (let k = 0; k < made.length; k += 2) {
    const radius = Math.sqrt(-2 * Math.log1p(-draw())) * noise * Math.SQRT1_2, angle = 2 * Math.PI * draw();
    made[k] = radius * Math.cos(angle);
    made[k + 1] = radius * Math.sin(angle);
  }
  return made;
}

// Where each ball is before the first update and after each, and the mean of their losses.
export function run({ copies, curvatures: [a, b], start }, rates, noise) {
  const row = 2 * copies, w = new Float64Array(row * (rates.length + 1)), means = [];
  for (let c = 0; c < row; c += 2) { w[c] = start[0]; w[c + 1] = start[1]; }
  for (let t = 0; t <= rates.length; t++) {
    let sum = 0;
    for (let c = t * row; c < (t + 1) * row; c += 2) {
      sum += a * w[c] * w[c] + b * w[c + 1] * w[c + 1];
      if (t === rates.length) continue;
      w[c + row] = w[c] - rates[t] * (a * w[c] + noise[c]);
      w[c + 1 + row] = w[c + 1] - rates[t] * (b * w[c + 1] + noise[c + 1]);
    }
    means.push(sum / 2 / copies);
  }
  return { w, means };
}

// The loss at which a constant rate stalls.
export const floorOf = ({ curvatures, noise }, rate) => rate * Math.max(...curvatures) >= 2 ? Infinity
  : curvatures.reduce((sum, h) => sum + (rate * noise * noise) / 2 / (2 * (2 - rate * h)), 0);

// Where everything stands in a picture of this width; bowl_still.py does the same.
export function ground(width, spec) {
  const wide = width >= 640, room = wide ? width * 0.58 : width, [a, b] = spec.curvatures;
  const reach = spec.curvatures.map((h) => Math.sqrt((2 * spec.rim) / h)), half = room / 2 - (wide ? 26 : 18);
  const scale = half / Math.max(...reach), tilt = 0.5, deep = 0.66 * half, cx = room / 2, cy = 66 + tilt * scale * reach[1] + deep;
  const up = (loss) => (deep * loss) / spec.rim, under = ((tilt * scale) ** 2 * spec.rim) / (2 * deep * b), foot = cy + under + 42, [low, high] = spec.range;
  const place = (x, y) => [cx + scale * x, cy + tilt * scale * y - up(0.5 * (a * x * x + b * y * y))];
  const panel = wide ? { left: room + 58, right: width - 26, top: 66, bottom: foot - 44, height: foot }
    : { left: 54, right: width - 16, top: foot + 34, bottom: foot + 184, height: foot + 224 };
  const course = (loss) => panel.bottom - (panel.bottom - panel.top) * Math.min(1, Math.max(0, (Math.log10(Math.min(1e9, Math.max(1e-9, loss))) - low) / (high - low)));
  return { ...panel, wide, room, reach, cx, cy, scale, tilt, deep, place, course, foot,
    ring: (loss) => ({ cx, cy: cy - up(loss), rx: Math.sqrt((2 * loss) / a) * scale, ry: Math.sqrt((2 * loss) / b) * scale * tilt }),
    across: (update, updates) => panel.left + ((panel.right - panel.left) * update) / updates };
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
// A straight step between two weights, as it lies on the bowl: a parabola, exactly.
const slide = ({ place }, [x, y], [p, q]) => {
  const from = place(x, y), to = place(p, q), over = place((x + p) / 2, (y + q) / 2).map((v, i) => 2 * v - (from[i] + to[i]) / 2);
  return `M${from.map((v) => v.toFixed(1))}Q${over.map((v) => v.toFixed(1))} ${to.map((v) => v.toFixed(1))}`;
};
const ellipse = (kind, ring) => node("path", { class: kind, d: around(ring) });
const around = ({ cx, cy, rx, ry }) => `M${cx - rx} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0Z`;

// The bowl of glass: its outline, rings of equal loss, lines from the ground to the rim.
function glass(at, { curvatures, rim }) {
  const near = Math.min((at.tilt * at.scale * rim) / (at.deep * curvatures[1]), 0.98 * at.reach[1]);
  const side = at.reach[0] * Math.sqrt(1 - (near / at.reach[1]) ** 2), edge = Array.from({ length: 41 }, (_, k) => at.place((side * (k - 20)) / 20, near));
  const top = at.ring(rim), body = `${path(edge)}A${top.rx} ${top.ry} 0 1 0 ${edge[0][0]} ${edge[0][1]}Z`;
  const spokes = Array.from({ length: SPOKES }, (_, i) => path(Array.from({ length: 13 }, (_, k) => {
    const angle = (2 * Math.PI * i) / SPOKES;
    return at.place((k / 12) * at.reach[0] * Math.cos(angle), (k / 12) * at.reach[1] * Math.sin(angle));
  })));
  return [node("path", { class: "dlw-glass", d: body }), node("path", { class: "dlw-spoke", d: spokes.join("") }),
    ...RINGS.map((part) => ellipse("dlw-ring", at.ring(part * part * rim))), ellipse("dlw-rim", top)];
}

// Axes of the course of the mean loss.
function panel(at, { range: [low, high], copies }, updates) {
  const marks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return [...marks.flatMap((exponent) => [node("path", { class: "dlw-gauge", d: `M${at.left} ${at.course(10 ** exponent)}H${at.right}` }),
    node("text", { x: at.left - 8, y: at.course(10 ** exponent) + 4, "text-anchor": "end" }, power(exponent))]),
  ...[0, updates / 2, updates].map((t) => node("text", { x: at.across(t, updates), y: at.bottom + 18, "text-anchor": "middle" }, Math.round(t))),
  node("text", { x: at.left, y: at.top - 14, class: "dlw-strong" }, `mean loss of ${copies} balls`),
  node("text", { x: at.right, y: at.top - 14, class: "dlw-orange", "text-anchor": "end" }, "- - its floor"),
  node("text", { x: (at.left + at.right) / 2, y: at.bottom + 36, "text-anchor": "middle" }, "updates")];
}

function drawing(spec, width, updates) {
  const at = ground(width, spec), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const disc = node("path", { class: "dlw-disc" }), level = node("text", { x: at.cx, y: at.foot - 16, "text-anchor": "middle", class: "dlw-orange dlw-level" });
  const trail = Array.from({ length: TRAIL }, (_, i) => node("path", { class: "dlw-trail", opacity: ((TRAIL - i) / TRAIL) ** 1.4 }));
  const dots = Array.from({ length: spec.shown }, (_, i) => node("circle", { class: i ? "dlw-copy" : "dlw-ball", r: (i ? 3.2 : 9) * (at.wide ? 1 : 0.75) }));
  const floors = node("path", { class: "dlw-floors" }), course = node("path", { class: "dlw-mean" }), point = node("circle", { class: "dlw-ball", r: 5 });
  const count = node("text", { x: 20, y: 27, class: "dlw-loud dlw-strong" }), word = node("text", { x: at.cx, y: at.cy - at.deep * 0.55, "text-anchor": "middle", class: "dlw-word" }), rate = node("text", { x: at.room - 24, y: 27, "text-anchor": "end", class: "dlw-loud dlw-orange" });
  const id = identity(), inside = node("g", { "clip-path": `url(#${id})` }, disc, ...dots.slice(1), ...trail, dots[0]);
  svg.append(node("clipPath", { id }, node("rect", { x: 0, y: 0, width: at.room, height: at.foot })), ...glass(at, spec), inside, level, ...panel(at, spec, updates), floors, course, point, count, rate, word);
  return { svg, at, disc, level, trail, dots, floors, course, point, count, rate, word };
}

// The picture after `time` updates, which need not be whole.
function show(picture, spec, { w, means, rates, floors }, time) {
  const { at } = picture, row = 2 * spec.copies, t = Math.min(rates.length - 1, Math.floor(time + 1e-6)), part = time - t, u = Math.floor(time + 1e-6);
  const weights = (ball, when) => [w[when * row + 2 * ball], w[when * row + 2 * ball + 1]];
  const point = (ball) => { const [x, y] = weights(ball, t), [p, q] = weights(ball, t + 1); return [x + (p - x) * part, y + (q - y) * part]; };
  const gone = lost(spec, means, u), floor = floors[t], drawn = floor < 2.2 * spec.rim;
  picture.dots.forEach((dot, ball) => {
    const [x, y] = at.place(...point(ball)), far = !(Math.abs(x) < 4000 && Math.abs(y) < 4000);
    dot.setAttribute("cx", far ? -99 : x.toFixed(1));
    dot.setAttribute("cy", far ? -99 : y.toFixed(1));
  });
  let end = point(0);
  picture.trail.forEach((line, i) => {
    const from = u - i < 0 || gone ? end : weights(0, u - i);
    line.setAttribute("d", slide(picture.at, from, end));
    end = from;
  });
  picture.disc.setAttribute("d", drawn ? around(at.ring(floor)) : "M0 0");
  picture.level.textContent = drawn ? `floor ${three(floor)}` : floor === Infinity ? "no floor" : `floor ${three(floor)}, above the rim`;
  const left = means.findIndex((loss) => !(loss < 10 ** spec.range[1])), points = means.slice(0, left < 0 ? u + 1 : Math.min(left, u) + 1)
    .map((loss, i) => [at.across(i, rates.length), at.course(loss)]);
  picture.word.textContent = gone ? "diverged" : "";
  picture.course.setAttribute("d", path(points));
  picture.point.setAttribute("cx", points.at(-1)[0]);
  picture.point.setAttribute("cy", points.at(-1)[1]);
  picture.floors.setAttribute("d", path(floors.map((loss, i) => [at.across(i, rates.length), at.course(loss)]).filter((_, i) => floors[i] < Infinity)) || "M0 0");
  picture.count.textContent = `after ${u} ${u === 1 ? "update" : "updates"}`;
  picture.rate.textContent = `rate ${number(rates[Math.min(u, rates.length - 1)], 3)}`;
}

const lost = (spec, means, t) => !(means[t] < 4 * spec.rim);

function sentence(spec, { means, rates, floors }, t) {
  const rate = rates[Math.min(t, rates.length - 1)], floor = floors[Math.min(t, rates.length - 1)], h = Math.max(...spec.curvatures);
  if (lost(spec, means, t)) return `After ${t} updates the balls have left the bowl: diverged. The rate ${number(rates[0])} is above 2/h = ${number(2 / h)}.`;
  const level = floor === Infinity ? "this rate has no floor" : `the floor of ${rates[0] === rate ? "this rate" : `the rate, now ${number(rate, 3)},`} is ${three(floor)}`;
  return `After ${t} updates the mean loss is ${three(means[t])}; ${level}.`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), noise = pushes(spec), updates = spec.factors[0].length;
  const { root, content, say } = frame(model, el, "bowl"), keep = keeper(model);
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  const controls = spec.order.filter((name) => spec.parameters[name].length > 1).map((name) => ({ name,
    ...(typeof spec.parameters[name][0] === "string" ? choice : slider)(name, spec.parameters[name], set(name)) }));
  const verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const hold = node("div", { class: "dlw-hold" }), stage = node("div", { class: "dlw-stage" }, hold);
  let picture = null, course = null, time = updates;
  const move = () => {
    const t = Math.floor(time + 1e-6);
    if (picture) show(picture, spec, course, time);
    verdict.textContent = sentence(spec, course, t);
    say(`${state.textContent}. ${verdict.textContent}`);
  };
  const clock = player(SECONDS, 1 / updates, (part) => { time = part * updates; move(); }, "play");
  const again = button("first", "back to the start", () => clock.reset(), "reset");
  const draw = () => {
    const chosen = model.get("values");
    controls.forEach((control) => control.update(chosen[control.name]));
    const rates = spec.factors[spec.parameters[SCHEDULE].indexOf(chosen[SCHEDULE])].map((factor) => factor * chosen[RATE]);
    course = { rates, floors: rates.map((rate) => floorOf(spec, rate)), ...run(spec, rates, noise) };
    state.textContent = stateText(chosen, spec.order);
    move();
  };
  content.append(stage, verdict, node("div", { class: "dlw-playing" }, ...clock.elements, again.element),
    node("div", { class: "dlw-controls" }, ...controls.map((control) => control.element)), state);
  draw();
  tabled(model, root, () => [["update", "rate", "mean loss", "floor"], ...evenly(updates + 1, 13).map((t) => { const at = Math.min(t, updates - 1);
    return [String(t), number(course.rates[at], 3), lost(spec, course.means, t) ? "diverged" : three(course.means[t]), course.floors[at] === Infinity ? "none" : three(course.floors[at])]; })]);
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width, updates);
    hold.replaceChildren(picture.svg);
    move();
  });
  const stop = listen(model, ["change:values"], draw), unseen = onSight(stage, clock.start);
  return () => { clock.stop(); unseen(); unwatch(); stop(); };
}

export default { render };

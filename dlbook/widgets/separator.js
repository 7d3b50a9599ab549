// Points of two classes that the reader places, and a line that is corrected at each mistake, beside the bound on the mistakes.
import { button, calm, choice, frame, keeper, listen, node, number } from "./controls.js";
import { bound, course } from "./separator_rule.js";
import { drawing, REACH, sheet, show, SIGNS } from "./separator_picture.js";
import { pointed } from "./square.js";
import { onSight, onWidth, player } from "./stage.js";

const OWN = "your own", TOOLS = [`${SIGNS[1]} yes`, `${SIGNS[0]} no`, "remove"], GRID = 32, LIMIT = 40, PACE = 2.5;  // mistakes a second
const short = (v) => number(v, 4), at = ([x, y]) => `(${short(x)}, ${short(y)})`;
const snap = (v) => Math.max(-GRID, Math.min(GRID, Math.round(v * GRID))) / GRID;

// What there is to say after k mistakes.
function sentence(points, { states, stopped, circle }, limits, k) {
  const n = points.length, { weights, missed, sign } = states[k], end = k === states.length - 1;
  if (!n) return "There are no points. Put some of both classes into the square.";
  const told = k ? `Mistake ${k}: the ${SIGNS[points[missed][2]]} at ${at(points[missed])} was called ${SIGNS[1 - points[missed][2]]}, so it is ${sign > 0 ? "added" : "subtracted"}.` : "Nothing is learnt yet: the weights are 0.";
  const now = ` w = ${at(weights)}, b = ${short(weights[2])}.`;
  if (!limits.margin) return `${told}${now} No line separates these points: the rule never stops.${circle && k >= circle[1] ? ` It goes in a circle of ${circle[1] - circle[0]} mistakes.` : ""}`;
  const most = `It can make at most ${limits.most}`, why = ` (R = ${number(limits.radius, 3)}, γ = ${number(limits.margin, 3)})`;
  if (end && stopped) return `After ${k} ${k === 1 ? "mistake" : "mistakes"} all ${n} points are right, and the rule stops. ${most}${why}.`;
  return `${told}${now} ${most}${end ? `${why}; the picture ends here` : ""}.`;
}

// The square as one tab stop: arrow keys move a cursor, Enter puts a point or changes it, Delete takes it away.
function plane(act, moved, drag) {
  let cursor = [0, 0], held = null;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const element = node("div", { class: "dlw-plane", role: "application", tabindex: "0", "aria-roledescription": "square of points",
    "aria-label": "arrow keys move the cursor, Enter puts a point there, Delete takes it away",
    onfocus: () => moved(cursor), onblur: () => moved(null), onkeydown: (event) => {
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      const by = step[event.key], does = { Enter: false, " ": false, Delete: true, Backspace: true }[event.key];
      if (!by && does === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      if (by) { cursor = cursor.map((v, i) => snap(v + (by[i] * (event.shiftKey ? 8 : 2)) / GRID)); moved(cursor, true); } else act(cursor, does, 0.03);
    } });
  const under = (event) => pointed(element, event, REACH);
  const near = (event) => ((event.pointerType ?? "touch") === "mouse" ? 14 : 22) * 2 * REACH / element.clientWidth;
  element.addEventListener("touchstart", (event) => { if (drag.find(under(event.touches[0]), near({})) >= 0) event.preventDefault(); });
  element.addEventListener("pointerdown", (event) => {
    const found = drag.find(under(event), near(event));
    held = found < 0 ? null : { point: found, from: under(event), moved: false };
    if (held) element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!held) return;
    const to = under(event);
    held.moved ||= Math.hypot(to[0] - held.from[0], to[1] - held.from[1]) > 0.04;
    if (held.moved) drag.move(held.point, to.map(snap));
  });
  element.addEventListener("pointerup", () => { if (held?.moved) { drag.drop(); held = { ...held, done: true }; } });
  element.addEventListener("pointercancel", () => { held = null; });
  element.addEventListener("click", (event) => {
    if (!held?.done) act(under(event).map(snap), false, near(event));
    held = null;
  });
  return { element };
}

async function render({ model, el }) {
  const spec = model.get("spec"), sets = spec.sets, { content, say } = frame(model, el, "separator"), keep = keeper(model);
  let points = model.get("points"), run = null, limits = null, time = 0, picture = null, tool = TOOLS[0], cursor = null;
  const verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const hold = node("div", { class: "dlw-hold" }), last = () => run.states.length - 1;
  const move = (lead = "") => {
    const k = Math.min(last(), Math.floor(time + 1e-6));
    verdict.textContent = sentence(points, run, limits, k);
    if (picture) show(picture, points, run, limits, Math.min(time, last()), cursor);
    say(`${lead}${verdict.textContent}`);
  };
  const clock = player(() => Math.max(0.4, last() / PACE), () => 1 / Math.max(1, last()), (part) => { time = part * last(); move(); }, "play");
  const learn = (toEnd, lead) => {
    clock.stop();
    run = course(points, spec.most);
    limits = bound(points);
    time = toEnd ? last() : 0;
    clock.place(toEnd ? 1 : 0);
    move(lead);
  };
  const edit = (next, lead, told = true) => {
    points = next;
    learn(true, lead);
    sets_.update(OWN);
    state.textContent = `points = ${OWN}`;
    if (told) { keep("points", points); keep("values", { points: OWN }); }
  };
  const find = ([x, y], near) => points.reduce((best, [px, py], i) => {
    const distance = Math.hypot(px - x, py - y);
    return distance < best[1] ? [i, distance] : best;
  }, [-1, near])[0];
  const act = (place, remove, near) => {
    const found = find(place, near), label = TOOLS.indexOf(tool) === 0 ? 1 : 0, gone = remove || tool === TOOLS[2];
    if (gone && found < 0) return;
    if (gone) edit(points.filter((_, i) => i !== found), `${SIGNS[points[found][2]]} at ${at(points[found])} removed. `);
    else if (found >= 0) edit(points.map(([x, y, was], i) => [x, y, i === found ? label : was]), `The point at ${at(place)} is now ${SIGNS[label]}. `);
    else if (points.length < LIMIT) edit([...points, [...place, label]], `${SIGNS[label]} at ${at(place)}. `);
    else say(`There is room for ${LIMIT} points.`);
  };
  const drag = { find, drop: () => edit(points, ""), move: (i, place) => edit(points.map((point, j) => (j === i ? [...place, point[2]] : point)), "", false) };
  const square = plane(act, (to, speak) => {
    cursor = to;
    move(speak ? `${at(to)}${find(to, 0.03) >= 0 ? `: ${SIGNS[points[find(to, 0.03)][2]]}` : ""}. ` : "");
  }, drag);
  const sets_ = choice("points", spec.parameters.points, (name) => keep("values", { points: name }));
  const tools = choice("with a tap or click", TOOLS, (name) => { tool = name; });
  tools.update(tool);
  const clear = node("button", { type: "button", onclick: () => edit([], "") }, "clear");
  content.append(node("div", { class: "dlw-stage" }, hold), verdict,
    node("div", { class: "dlw-playing" }, ...clock.elements, button("first", "back to the start", () => clock.reset(), "reset").element, button("last", "to the end", () => clock.whole(), "end").element, clear),
    node("div", { class: "dlw-controls" }, sets_.element, tools.element), state);
  const chosen = (begin) => {
    const name = model.get("values").points;
    sets_.update(name);
    state.textContent = `points = ${name}`;
    if (name !== OWN) points = sets[name];
    if (name !== OWN || begin) learn(begin || calm());
    if (name !== OWN && !begin) { keep("points", points); if (!calm()) clock.start(); }
  };
  chosen(true);
  if (spec.opens !== null) {
    time = Math.min(spec.opens, last());
    clock.place(time / Math.max(1, last()));
    move();
  }
  const unwatch = onWidth(hold, (width) => {
    const where = sheet(width);
    picture = drawing(where);
    Object.assign(square.element.style, { left: `${(100 * where.left) / width}%`, width: `${(100 * where.side) / width}%`, top: `${(100 * where.top) / where.height}%`, height: `${(100 * where.side) / where.height}%` });
    hold.replaceChildren(picture.svg, square.element);
    move();
  });
  const stop = [listen(model, ["change:values"], () => { if (model.get("values").points !== OWN || points !== model.get("points")) chosen(false); }),
    listen(model, ["change:points"], () => { if (JSON.stringify(model.get("points")) !== JSON.stringify(points)) edit(model.get("points"), "", false); })];
  const unseen = spec.opens === null ? onSight(hold, clock.start) : () => {};
  return () => { clock.stop(); unseen(); unwatch(); stop.forEach((end) => end()); };
}

export default { render, course, bound };

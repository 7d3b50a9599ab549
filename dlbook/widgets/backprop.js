// A net of five numbers: the reader changes one, and sees every value go forward and every delta come back.
import { button, frame, identity, inflated, keeper, listen, node, number, parameterControls } from "./controls.js";
import { calm } from "./controls.js";
import { keptStill, onSight, onWidth, player } from "./stage.js";
import { HIGH, LOW, picture, short } from "./backprop_draw.js";
import { NUMBERS, descend, made, nudge, pass, together } from "./backprop_net.js";

const MOST = 10, SECONDS = 9, NUDGE = 0.01, SNAP = 0.07, STEP = 0.05;

// A slider for the number that is chosen, from any value to any value.
function dial(change) {
  const id = identity(), label = node("label", { for: id }), box = node("span", { class: "dlw-read" });
  const range = node("input", { type: "range", id, step: STEP, oninput: () => change(Number(range.value)) });
  const go = (way) => change(Math.min(Number(range.max), Math.max(Number(range.min), Number(range.value) + way * STEP)));
  const less = button("minus", "less", () => go(-1)), more = button("plus", "more", () => go(1));
  const element = node("div", { class: "dlw-control" }, label, box, node("div", { class: "dlw-track" }, less.element, range, more.element));
  return { element, show: (name, value, low, high) => {
    label.textContent = `change ${name}`;
    [["less", less], ["more", more]].forEach(([word, { element: one }]) => one.setAttribute("aria-label", `${word} ${name}`));
    less.enable(value > low);
    more.enable(value < high);
    range.min = low;
    range.max = high;
    range.value = value;
    range.style.setProperty("--dlw-part", `${(100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low)}%`);
    range.setAttribute("aria-valuetext", number(value, 3));
    box.textContent = number(value, 3);
  } };
}

async function render({ model, el }) {
  const spec = model.get("spec"), curves = await inflated(spec.curves).json(), { content, say } = frame(model, el, "backprop"), keep = keeper(model), { parameters } = spec;
  const chosen = () => NUMBERS.indexOf(model.get("values").number), loss = () => model.get("values").loss, start = () => parameters.start.indexOf(model.get("values").start);
  let weights = [...model.get("weights")], x = [...model.get("inputs")], drawing = null, shown = 2, step = 0, course = [], own = false, running = 0, began = 0, before = { ...model.get("values") }, keeping = false;
  const target = () => spec.cases.reduce((best, one) => (Math.hypot(one[0] - x[0], one[1] - x[1]) < Math.hypot(best[0] - x[0], best[1] - x[1]) ? one : best))[2];
  const controls = parameterControls(model, keep), slide = dial((value) => put(chosen(), value));
  const hold = node("div", { class: "dlw-hold" }), stage = node("div", { class: "dlw-stage" }, hold), verdict = node("p", { class: "dlw-verdict" }), progress = node("p", { class: "dlw-read" });

  const sentence = (found) => {
    const at = chosen(), name = NUMBERS[at], value = [...weights, ...x][at], parts = made(at, weights, x, found), bracket = (v) => (v < 0 ? `(${short(v)})` : short(v));
    const product = parts.parts.length ? ` = ${parts.parts.map(([a, b]) => `${bracket(a)} · ${bracket(b)}`).join(" + ")}` : "";
    return `${name} is ${number(Number(value.toFixed(3)), 4)}. Its gradient is ${parts.names}${product} = ${short(found.gradient[at])}. Raised by ${NUDGE}, it moves the loss by ${number(nudge(weights, x, target(), loss(), at, NUDGE), 3)}.`;
  };
  const net = () => {
    const found = pass(weights, x, target(), loss());
    drawing?.drawNet(weights, x, target(), found, chosen(), shown);
    verdict.textContent = sentence(found);
    return found;
  };
  const show = () => {
    net();
    drawing?.drawSquare(weights, x, loss());
    drawing?.drawCourse(course, own ? [] : curves[start()][parameters.loss.indexOf(loss())], step);
    const all = together(weights, spec.cases, loss()), at = chosen();
    progress.textContent = `After ${step} steps on all cases: loss ${number(all.loss, 3)}, ${all.right} of ${spec.cases.length} right.${own ? " You changed the weights: torch has no curve for this." : ""}`;
    slide.show(NUMBERS[at], [...weights, ...x][at], at < 9 ? -MOST : LOW, at < 9 ? MOST : HIGH);
    if (!running) say(`${verdict.textContent} ${progress.textContent}`);
  };
  // Both are set before anybody looks: one alone would look like a change from Python.
  const kept = () => { keeping = true; keep("weights", [...weights]); keep("inputs", [...x]); keeping = false; };

  // Learning: so many steps a second that all of them take SECONDS.
  const advance = (count) => {
    for (let i = 0; i < count && step < spec.steps; i++) {
      if (step % spec.every === 0) course.push([step, together(weights, spec.cases, loss()).loss]);
      weights = descend(weights, spec.cases, loss(), spec.rate);
      step += 1;
    }
    if (step === spec.steps) course.push([step, together(weights, spec.cases, loss()).loss]);
  };
  const halt = () => { cancelAnimationFrame(running); running = 0; learn.sign("play"); learn.words.textContent = "Learn"; learn.element.title = "Learn"; learn.element.setAttribute("aria-label", "learn"); };
  const tick = (now) => {
    advance(Math.max(1, Math.round((spec.steps * Math.min(0.1, (now - began) / 1000)) / SECONDS)));
    began = now;
    if (step < spec.steps) running = requestAnimationFrame(tick); else { halt(); kept(); }
    show();
  };
  const go = () => {
    if (running) { halt(); kept(); show(); return; }
    clock.whole();
    if (step >= spec.steps) restart();
    if (calm()) { advance(spec.steps); kept(); show(); return; }
    learn.sign("pause");
    learn.words.textContent = "Pause";
    learn.element.title = "Pause";
    learn.element.setAttribute("aria-label", "pause learning");
    began = performance.now();
    running = requestAnimationFrame(tick);
  };
  const restart = () => { halt(); weights = [...spec.starts[start()]]; [step, course, own] = [0, [], false]; kept(); show(); };
  const put = (at, value) => {
    halt();
    if (at < 9) { weights[at] = Math.max(-MOST, Math.min(MOST, value)); [step, course, own] = [0, [], true]; }
    else x[at - 9] = Math.max(LOW, Math.min(HIGH, value));
    if (clock) { clock.stop(); clock.place(1); }
    shown = 2;
    kept();
    show();
  };
  const pick = (at) => { if (at !== chosen()) keep("values", { ...model.get("values"), number: NUMBERS[at] }); };

  // A chip is dragged to the right and upwards to grow; a place of the square becomes the input.
  const place = (event) => { const box = drawing.svg.getBoundingClientRect(), scale = drawing.svg.viewBox.baseVal.width / box.width; return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]; };
  const point = (event) => {
    const found = drawing.inputs(...place(event));
    if (!found) return;
    const near = spec.cases.find((one) => Math.hypot(one[0] - found[0], one[1] - found[1]) < SNAP);
    x = near ? near.slice(0, 2) : found.map((v) => Number(v.toFixed(3)));
    shown = 2;
    kept();
    show();
  };
  keptStill(hold);
  hold.addEventListener("pointerdown", (event) => {
    const chip = event.target.closest?.("[data-at]"), inside = drawing.inputs(...place(event));
    if (!chip && !inside) return;
    const at = chip ? Number(chip.dataset.at) : null, from = [event.clientX, event.clientY], value = at === null ? 0 : [...weights, ...x][at];
    if (at !== null) pick(at); else point(event);
    const move = (next) => { if (at === null) point(next); else { const by = next.clientX - from[0] - (next.clientY - from[1]); if (Math.abs(by) > 3) put(at, Number((value + by * (at < 9 ? 0.03 : 0.006)).toFixed(2))); } };
    const end = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", end); removeEventListener("pointercancel", end); };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    event.preventDefault();
  });
  const clock = player(4, 0.125, (part) => { shown = 2 * part; net(); }, "play: forward, and back");
  const learn = button("play", "learn", go);
  learn.words = node("span", {}, "Learn");
  learn.element.prepend(learn.words);
  clock.elements[0].prepend(node("span", {}, "Forward and back"));
  content.append(stage, verdict, node("div", { class: "dlw-playing" }, ...clock.elements, learn.element, button("next", "one step of learning", () => { halt(); clock.whole(); advance(1); kept(); show(); }, "one step").element,
    button("first", "back to the start", restart, "reset").element), progress, node("div", { class: "dlw-controls" }, slide.element, ...controls.elements));
  const unwatch = onWidth(hold, (width) => { drawing = picture(width, spec); hold.replaceChildren(drawing.svg); show(); });
  const unseen = onSight(stage, clock.start);
  const changed = () => {
    const now = model.get("values"), differs = (name) => now[name] !== before[name];
    controls.update();
    if (differs("case")) { x = spec.cases[parameters.case.indexOf(now.case)].slice(0, 2); kept(); }
    const again = differs("start") || differs("loss");
    before = { ...now };
    if (again) restart(); else show();
  };
  const stops = [listen(model, ["change:values"], changed), listen(model, ["change:weights", "change:inputs"], () => {
    if (running || keeping) return;
    own ||= `${model.get("weights")}` !== `${weights}`;
    [weights, x] = [[...model.get("weights")], [...model.get("inputs")]];
    show();
  })];
  return () => { halt(); clock.stop(); unseen(); unwatch(); stops.forEach((stop) => stop()); };
}

export default { render };

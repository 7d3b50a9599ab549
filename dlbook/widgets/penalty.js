// Two weights in the bowl of their loss: the reader drags the bowl and the region that a penalty allows.
import { frame, keeper, listen, node, number, parameterControls, stateText } from "./controls.js";
import { cost, descended, loss, minimiser } from "./penalty_rule.js";
import { drawing, REACH, sheet, show } from "./penalty_picture.js";
import { pointed } from "./square.js";
import { onWidth } from "./stage.js";

const SHARE = "share of L1", FACTOR = "λ", BESIDE = "beside it", STEP = 0.05;
const short = (v) => number(Number(v.toFixed(3))), at = (w) => `(${short(w[0])}, ${short(w[1])})`;
const held = (v) => Math.max(-1, Math.min(1, Math.round(v / STEP) * STEP));

// What stands in the picture, from the values and the minimum.
function state(spec, values, m) {
  const H = spec.curvature, share = values[SHARE], factors = spec.parameters[FACTOR], course = factors.map((f) => minimiser(H, m, share * f, (1 - share) * f));
  const chosen = factors.indexOf(values[FACTOR]), w = course[chosen], factor = values[FACTOR];
  return { H, m, share, course, chosen, w, factor, bound: cost(share, w), descent: values[BESIDE] === spec.parameters[BESIDE][1] ? (factor ? 1 / (2 * factor) : 1e6) : null };
}

function sentence({ H, m, share, w, factor, descent }) {
  const kind = share === 0 ? "L2" : share === 1 ? "L1" : "elastic net", zero = w.map((v) => v === 0);
  const off = zero[0] && zero[1] ? "both weights are exactly 0" : zero[0] ? "w₁ is exactly 0" : zero[1] ? "w₂ is exactly 0" : "no weight is exactly 0";
  const ran = descent === null ? "" : factor ? ` Gradient descent, stopped when steps × rate = 1/(2λ) = ${number(descent, 3)}, stands at ${at(descended(H, m, descent))}.` : " Gradient descent has run to the end.";
  return `${kind}: the minimum is at ${at(w)}, ${off}; the loss there is ${short(loss(H, m, w))}.${ran}`;
}

// The plane as one tab stop: arrow keys move the bowl; a pointer takes the bowl, or the edge of the region.
function plane(where, moveBowl, resize) {
  let grip = null;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const element = node("div", { class: "dlw-plane", role: "application", tabindex: "0", "aria-roledescription": "plane of two weights",
    "aria-label": "arrow keys move the minimum of the loss", onkeydown: (event) => {
      const by = step[event.key];
      if (!by || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      moveBowl(where().m.map((v, i) => v + by[i] * STEP));
    } });
  const under = (event) => pointed(element, event, REACH);
  // The nearer of the two is taken, if it is near: "bowl", "edge" or null.
  const taken = (p) => {
    const { m, share, bound } = where(), far = Math.hypot(p[0] - m[0], p[1] - m[1]), size = cost(share, p), reach = Math.hypot(...p);
    if (far < 0.22) return "bowl";
    return size > 0 && (Math.abs(Math.sqrt(size) - Math.sqrt(bound)) < 0.22 || reach < 0.3) ? "edge" : null;
  };
  const drag = (p) => (grip === "bowl" ? moveBowl(p) : resize(p));
  element.addEventListener("touchstart", (event) => { if (taken(under(event.touches[0]))) event.preventDefault(); });
  element.addEventListener("pointerdown", (event) => {
    const found = taken(under(event));
    grip = found ?? (event.pointerType === "mouse" ? "edge" : null);
    if (!grip) return;
    element.setPointerCapture(event.pointerId);
    drag(under(event));
  });
  element.addEventListener("pointermove", (event) => { if (grip) drag(under(event)); });
  element.addEventListener("pointerup", () => { grip = null; });
  element.addEventListener("pointercancel", () => { grip = null; });
  return element;
}

async function render({ model, el }) {
  const spec = model.get("spec"), { content, say } = frame(model, el, "penalty"), keep = keeper(model), factors = spec.parameters[FACTOR];
  const controls = parameterControls(model, keep), verdict = node("p", { class: "dlw-verdict" }), words = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  let picture = null;
  const now = () => state(spec, model.get("values"), model.get("minimum"));
  const draw = () => {
    const there = now();
    controls.update();
    words.textContent = `${stateText(model.get("values"), spec.order)}, minimum of the loss at ${at(there.m)}`;
    verdict.textContent = sentence(there);
    if (picture) show(picture, there);
    say(verdict.textContent);
  };
  const moveBowl = (to) => {
    const next = to.map(held);
    if (next.some((v, i) => v !== model.get("minimum")[i])) keep("minimum", next);
  };
  // The λ whose region has its border nearest to the pointer.
  const resize = (p) => {
    const { share, course } = now(), wanted = cost(share, p), off = course.map((w) => Math.abs(cost(share, w) - wanted));
    const best = off.reduce((k, v, i) => (v < off[k] ? i : k), 0);
    if (factors[best] !== model.get("values")[FACTOR]) keep("values", { ...model.get("values"), [FACTOR]: factors[best] });
  };
  const square = plane(now, moveBowl, resize);
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), words);
  const unwatch = onWidth(hold, (width) => {
    const where = sheet(width);
    picture = drawing(where, factors);
    Object.assign(square.style, { left: `${(100 * where.left) / width}%`, width: `${(100 * where.side) / width}%`, top: `${(100 * where.top) / where.height}%`, height: `${(100 * where.side) / where.height}%` });
    hold.replaceChildren(picture.svg, square);
    draw();
  });
  const stop = listen(model, ["change:values", "change:minimum"], draw);
  draw();
  return () => { unwatch(); stop(); };
}

export default { render, minimiser, descended };

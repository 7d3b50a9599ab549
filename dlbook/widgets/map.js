// A map of points over the steps of a training: which have a label, and which of those labels are wrong.
import { button, frame, identity, inflatedBytes, keeper, listen, node } from "./controls.js";
import { tabled } from "./numbers.js";
import { onSight, onWidth, player } from "./stage.js";

const STEP = "training step";
const STAR = "M0 -8 2.2 -2.6 8 -2.4 3.5 1.2 5 7 0 3.8 -5 7 -3.5 1.2 -8 -2.4 -2.2 -2.6Z", DOT = "M-3 0a3 3 0 1 1 6 0a3 3 0 1 1 -6 0Z", CROSS = "M-5 -5 5 5M5 -5 -5 5";
const OUT = 28;  // pixels from the middle of the stars to the name of their class
const KINDS = ["none", "right", "wrong"];

// Middle, radii and height of a map of this width; map_still.py does the same.
const sheet = (width) => { const tall = width >= 640 ? 260 : 180; return { cx: width / 2, cy: 52 + tall, wide: width / 2 - 56, tall, height: 2 * tall + 124 }; };

function drawing(spec, width) {
  const at = sheet(width), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const place = (x, y) => `translate(${(at.cx + x * at.wide).toFixed(1)} ${(at.cy - y * at.tall).toFixed(1)})`;
  const points = Array.from({ length: spec.points }, () => node("path", { d: DOT }));
  const anchors = spec.anchors.flatMap(([name, x, y]) => [...Array.from({ length: spec.given }, (_, i) => node("path", { d: STAR, class: "dlw-star",
    transform: `${place(x, y)} translate(${[-7, 7, -7, 7][i % 4]} ${[-7, -7, 7, 7][i % 4]}) scale(0.8)` })), node("text", { class: "dlw-class", x: OUT * x, y: 7 - OUT * y, "text-anchor": "middle", transform: place(x, y) }, name)]);
  const count = node("text", { class: "dlw-loud dlw-strong", x: 16, y: at.height - 14 }), step = node("text", { class: "dlw-loud dlw-strong", x: 16, y: 26 });
  svg.append(...points, ...anchors, count, step);
  return { svg, place, points, count, step };
}

async function render({ model, el }) {
  const spec = model.get("spec"), steps = spec.parameters[STEP], bytes = await inflatedBytes(spec.data), n = spec.points, last = steps.length - 1, half = 2 * n * (last + 1);
  const { root, content, say } = frame(model, el, "map"), keep = keeper(model), chosen = () => steps.indexOf(model.get("values")[STEP]);
  const verdict = node("p", { class: "dlw-verdict" }), hold = node("div", { class: "dlw-hold" }), stage = node("div", { class: "dlw-stage" }, hold);
  let picture = null, time = chosen();
  const where = (look, point, axis) => bytes[2 * (look * n + point) + axis] / 127.5 - 1, state = (look, point) => bytes[half + look * n + point];
  const draw = () => {
    const look = Math.min(last, Math.floor(time + 1e-6)), next = Math.min(last, look + 1), part = time - look, counts = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const kind = state(look, i), mix = (axis) => where(look, i, axis) * (1 - part) + where(next, i, axis) * part;
      counts[kind] += 1;
      if (!picture) continue;
      const point = picture.points[i];
      point.setAttribute("transform", picture.place(mix(0), mix(1)));
      if (point.kind !== kind) { point.kind = kind; point.setAttribute("d", kind === 2 ? CROSS : DOT); point.setAttribute("class", `dlw-${KINDS[kind]}`); }
    }
    const told = `${counts[1] + counts[2]} of ${n} have a label`;
    if (picture) { picture.count.textContent = `${told}, ✗ ${counts[2]} wrong`; picture.step.textContent = `step ${steps[look]}`; }
    verdict.textContent = `After ${steps[look]} steps ${told}, and ${counts[2]} of these labels are wrong.`;
    slide.value = look;
    slide.setAttribute("aria-valuetext", `step ${steps[look]}`);
    slide.style.setProperty("--dlw-part", `${(100 * look) / last}%`);
    say(verdict.textContent);
  };
  // The look that is chosen is told where the picture comes to stand, not while it plays.
  const kept = () => { const step = steps[Math.min(last, Math.floor(time + 1e-6))]; if (step !== model.get("values")[STEP]) keep("values", { [STEP]: step }); };
  const go = (look) => { time = look; clock.stop(); clock.place(look / last); draw(); };
  const clock = player(10, 1 / last, (part) => { time = part * last; draw(); }, "play", kept), id = identity();
  const slide = node("input", { type: "range", id, min: 0, max: last, step: 1, oninput: () => { go(Number(slide.value)); kept(); } });
  content.append(stage, verdict, node("div", { class: "dlw-playing" }, ...clock.elements, button("first", "back to the start", () => clock.reset(), "reset").element, node("label", { for: id }, "training step"), slide));
  const unwatch = onWidth(hold, (width) => { picture = drawing(spec, width); hold.replaceChildren(picture.svg); draw(); });
  tabled(model, root, () => [["training step", "with a label", "of these wrong"], ...steps.map((step, look) => {
    const kinds = Array.from({ length: n }, (_, i) => state(look, i));
    return [String(step), String(kinds.filter(Boolean).length), String(kinds.filter((kind) => kind === 2).length)];
  })]);
  go(time);
  const unseen = time === last ? onSight(stage, clock.start) : () => {};  // who was led to a look stays there
  const unlisten = listen(model, ["change:values"], () => { if (chosen() !== Math.min(last, Math.floor(time + 1e-6))) go(chosen()); });
  return () => { unlisten(); clock.stop(); unseen(); unwatch(); };
}

export default { render };

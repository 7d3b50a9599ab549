// The picture of a training: the loss over the curve that torch recorded, and what each layer holds.
import { node, number } from "./controls.js";

const HIGH = 4; // the loss that the picture has room for
const DECADES = [-6, 2], ENDS = ["10⁻⁶", "10²"]; // powers of ten of activations, gradients and weights
const BARS = [["activation", "activations", "blue"], ["gradient", "gradients of the weights", "orange"], ["weight", "weights", "pale"]];

// Where the parts stand; train_still.py does the same for the loss.
export function sheet(width) {
  const wide = width >= 640, left = 40, plot = { left, right: wide ? Math.round(width * 0.56) : width - 14, top: 34, bottom: wide ? 330 : 230 };
  const from = wide ? plot.right + 50 : left, tall = wide ? 66 : 56, first = wide ? plot.top + 14 : plot.bottom + 76;
  const bars = BARS.map((_, i) => ({ left: from, right: width - 14, top: first + i * (tall + 40), bottom: first + i * (tall + 40) + tall }));
  return { plot, bars, height: wide ? 384 : bars[2].bottom + 30 };
}

const inside = (value, low, high) => Math.max(low, Math.min(high, value));
const label = (x, y, words, kind = "", anchor = "start") => node("text", { x, y, class: kind, "text-anchor": anchor }, words);
const rule = (x1, x2, y, kind) => node("line", { x1, x2, y1: y, y2: y, class: kind });

function curve(values, x, y, kind) {
  let d = "";
  values.forEach((value, i) => { d += `${d ? "L" : "M"}${x(i + 1).toFixed(1)} ${y(Number.isFinite(value) ? value : HIGH).toFixed(1)}`; });
  return node("path", { d: d || "M0 0", class: kind });
}

// An empty picture; draw(losses, recorded, first and last report) fills it.
export function picture(width, steps, layers) {
  const at = sheet(width), { plot } = at, svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const x = (step) => plot.left + ((plot.right - plot.left) * step) / steps, y = (loss) => plot.bottom - ((plot.bottom - plot.top) * inside(loss, 0, HIGH)) / HIGH;
  const still = [label(plot.left, 20, "loss of each batch", "dlw-strong")];
  for (let loss = 0; loss <= HIGH; loss++) still.push(rule(plot.left, plot.right, y(loss), "dlw-rule"), label(plot.left - 7, y(loss) + 4, loss === HIGH ? "4+" : loss, "", "end"));
  for (const part of [0, 0.5, 1]) still.push(label(x(part * steps), plot.bottom + 18, number(part * steps), "", "middle"));
  still.push(rule(plot.left, plot.right, y(Math.log(10)), "dlw-guess"), label(plot.right, y(Math.log(10)) - 6, "guessing", "", "end"),
    label((plot.left + plot.right) / 2, plot.bottom + 38, "step   (dashes: what torch recorded)", "", "middle"));
  const height = (box, value) => (box.bottom - box.top) * inside((Math.log10(value || 1e-30) - DECADES[0]) / (DECADES[1] - DECADES[0]), 0, 1);
  at.bars.forEach((box, i) => still.push(label(box.left, box.top - 8, `${BARS[i][1]}, layer by layer`, "dlw-strong"), rule(box.left, box.right, box.bottom, "dlw-rule"),
    label(box.left - 5, box.bottom + 3, ENDS[0], "", "end"), label(box.left - 5, box.top + 9, ENDS[1], "", "end")));
  const live = node("g"), step = (box) => (box.right - box.left) / layers;
  const bars = (report, kind, dim) => at.bars.map((box, i) => node("path", { class: dim ? "dlw-before" : `dlw-bars dlw-is-${BARS[i][2]}`,
    d: report.layers.map((layer, l) => { const high = height(box, layer[kind ?? BARS[i][0]]), left = box.left + l * step(box), wide = step(box) - 2;
      return dim ? `M${left.toFixed(1)} ${(box.bottom - high).toFixed(1)}h${wide.toFixed(1)}` : `M${left.toFixed(1)} ${box.bottom}v${(-high).toFixed(1)}h${wide.toFixed(1)}V${box.bottom}Z`; }).join("") }));
  svg.append(...still, live);
  const draw = (losses, recorded, first, last) => live.replaceChildren(curve(recorded, x, y, "dlw-torch"), curve(losses, x, y, "dlw-live"),
    ...(losses.length ? [node("circle", { class: "dlw-now", r: 4, cx: x(losses.length), cy: y(losses.at(-1)) })] : []),
    ...(last ? [...bars(last), ...bars(first, null, true)] : []));
  return { svg, draw };
}

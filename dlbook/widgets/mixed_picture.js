// The picture of two mixed pictures: the mixture with its box, and for each network its probabilities along λ.
import { node } from "./controls.js";
import { path } from "./square.js";
import { box } from "./mixed_rule.js";

// Where everything stands in a picture of this width; mixed_still.py does the same.
export function desk(width, models) {
  const wide = width >= 640, pad = wide ? 28 : 14, gap = wide ? 46 : 34, size = wide ? Math.min(280, width * 0.29) : 190;
  const left = wide ? pad + 14 : (width - size) / 2, top = wide ? 76 : 44, first = wide ? left + size + 74 : pad + 20;
  const each = (width - pad - first - (models - 1) * gap) / models, chart = wide ? 76 : top + size + 108, high = wide ? size : 150;
  return { wide, size, left, top, each, chart, high, low: chart + high, height: chart + high + 42,
    x: (m, weight) => first + m * (each + gap) + weight * each, y: (p) => chart + (1 - p) * high };
}

const KEYS = [["dlw-first", "first one's class"], ["dlw-second", "second one's class"], ["dlw-other", "best other"], ["dlw-asked", "what the label asks"]];

export function drawing(spec, width) {
  const models = spec.networks.length, at = desk(width, models), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const whole = { x: 0, y: 0, width: at.size, height: at.size, preserveAspectRatio: "none", class: "dlw-pixels" };
  const under = node("image", whole), over = node("image", whole), pane = node("svg", { x: 0, y: 0, width: at.size, height: at.size }, over);
  const hold = node("svg", { x: at.left, y: at.top, width: at.size, height: at.size, class: "dlw-through" }, under, pane);
  const grip = node("rect", { class: "dlw-grip", x: at.left, y: at.top, width: at.size, height: at.size });
  const drawn = node("rect", { class: "dlw-drawn" }), cut = node("rect", { class: "dlw-cut" }), frame = node("g", { class: "dlw-through" }, drawn, cut);
  const told = node("text", { x: at.left + at.size / 2, y: at.top + at.size + 22, "text-anchor": "middle" });
  const charts = spec.networks.map((name, m) => chart(at, name, m));
  const keys = KEYS.map(([kind, words], i) => {
    const x = at.wide ? 28 + [0, 146, 304, 412][i] : 8 + 160 * (i % 2), y = at.wide ? 24 : at.chart - 60 + 18 * Math.floor(i / 2);
    return node("g", {}, node("path", { class: `dlw-line ${kind}`, d: `M${x} ${y - 4}h18` }), node("text", { x: x + 24, y }, words));
  });
  svg.append(grip, hold, frame, told, ...keys, ...charts.flatMap((one) => one.parts));
  return { svg, at, under, over, pane, grip, drawn, cut, frame, told, charts };
}

function chart(at, name, m) {
  const left = at.x(m, 0), right = at.x(m, 1), lines = KEYS.map(([kind]) => node("path", { class: `dlw-line ${kind}` }));
  const here = node("path", { class: "dlw-here" }), dots = KEYS.slice(0, 3).map(([kind]) => node("circle", { class: `dlw-dot ${kind}`, r: 4.5 }));
  const ground = node("rect", { class: "dlw-ground", x: left, y: at.chart, width: right - left, height: at.high });
  const ticks = [0, 0.5, 1].flatMap((p) => [node("path", { class: "dlw-floor", d: `M${left} ${at.y(p)}H${right}` }),
    node("text", { x: left - 6, y: at.y(p) + 4, "text-anchor": "end" }, p === 0.5 ? "½" : p), node("text", { x: at.x(m, p), y: at.low + 17, "text-anchor": "middle" }, p === 0.5 ? "½" : p)]);
  const words = [node("text", { x: left, y: at.chart - 12, class: "dlw-loud dlw-strong" }, name), node("text", { x: (left + right) / 2, y: at.low + 34, "text-anchor": "middle" }, "λ, share of the first")];
  const show = (now) => {
    lines.forEach((line, i) => line.setAttribute("d", path(now.curves[i].map((p, k) => [at.x(m, k / (now.curves[i].length - 1)), at.y(p)]))));
    here.setAttribute("d", `M${at.x(m, now.weight).toFixed(1)} ${at.chart}V${at.low}`);
    dots.forEach((dot, i) => { dot.setAttribute("cx", at.x(m, now.weight)); dot.setAttribute("cy", at.y(now.curves[i][now.index])); });
  };
  return { parts: [ground, ...ticks, ...words, here, ...[...lines].reverse(), ...dots], ground, show };
}

// Shows the mixture itself. `how` has rule, weight, row and column.
export function look(picture, spec, pair, how) {
  const { at, under, over, pane } = picture, boxed = how.rule !== "mixup", [below, above] = boxed ? spec.pictures[pair] : [spec.pictures[pair][1], spec.pictures[pair][0]];
  const pixel = at.size / spec.side, { drawn, cut } = box(spec.side, how.weight, how.row, how.column);
  under.setAttribute("href", below);
  over.setAttribute("href", above);
  over.setAttribute("opacity", boxed ? 1 : how.weight);
  const [top, bottom, left, right] = boxed ? cut.map((v) => v * pixel) : [0, at.size, 0, at.size];
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  Object.entries({ ...place, viewBox: `${left} ${top} ${Math.max(right - left, 1e-6)} ${Math.max(bottom - top, 1e-6)}` }).forEach(([key, v]) => pane.setAttribute(key, v));
  picture.frame.setAttribute("visibility", boxed ? "visible" : "hidden");
  [[picture.drawn, drawn], [picture.cut, cut]].forEach(([element, [t, b, l, r]]) =>
    Object.entries({ x: at.left + l * pixel, y: at.top + t * pixel, width: (r - l) * pixel, height: (b - t) * pixel }).forEach(([key, v]) => element.setAttribute(key, v)));
  picture.told.textContent = boxed ? "drag the box" : "drag to the left and right";
}

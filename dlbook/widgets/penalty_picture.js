// The plane of two weights with ellipses, region and path, and the weights over λ beside it. penalty_still.py draws the same.
import { identity, node, number } from "./controls.js";
import { descended, ellipse, loss, region } from "./penalty_rule.js";
import { path, place } from "./square.js";

export const REACH = 1.25;  // the square shows a little more than -1 to 1
const LEVELS = [0.25, 0.5, 0.75, 1, 1.3, 1.7, 2.2];  // of the ellipses, as shares of the root of the loss at 0

// Where everything stands in a picture of this width.
export function sheet(width) {
  const wide = width >= 640, side = wide ? Math.min(470, width * 0.5) : width - 24, left = wide ? 20 : 12, top = wide ? 20 : 12;
  const panel = wide ? { x: left + side + 66, right: width - 28, y: top + 64, foot: top + side - 48 }
    : { x: 46, right: width - 16, y: top + side + 66, foot: top + side + 226 };
  return { width, wide, side, left, top, reach: REACH, panel, height: (wide ? top + side : panel.foot + 42) + 20 };
}


export function drawing(at, factors) {
  const svg = node("svg", { viewBox: `0 0 ${at.width} ${at.height.toFixed(0)}`, "aria-hidden": "true" }), made = (tag, kind, more = {}) => node(tag, { class: kind, ...more });
  const text = (x, y, words, kind = "", anchor = "middle") => node("text", { x, y, class: kind, "text-anchor": anchor }, words);
  const id = identity(), [cx, cy] = place(at, [0, 0]), { x, right, y, foot } = at.panel, last = factors.length - 1;
  const px = (k) => x + ((right - x) * k) / last, py = (v) => (y + foot) / 2 - (v * (foot - y)) / 2;
  const rings = LEVELS.map(() => made("path", "dlw-ring")), touching = made("path", "dlw-touching"), allowed = made("path", "dlw-allowed"), way = made("path", "dlw-way");
  const run = made("path", "dlw-descent"), ran = made("circle", "dlw-ran", { r: 5.5 }), bottom = made("circle", "dlw-bottom", { r: 8 }), found = made("circle", "dlw-found", { r: 7 });
  const lines = [0, 1].map((i) => made("path", `dlw-weight dlw-of-${i}`)), dots = [0, 1].map((i) => made("circle", `dlw-mark dlw-of-${i}`, { r: 5 })), chosen = made("path", "dlw-gauge");
  const said = [0, 1].map((i) => text(x + (i * (right - x)) / 2, y - 34, "", `dlw-loud dlw-of-${i}`, "start"));
  const inside = node("g", { "clip-path": `url(#${id})` }, allowed, made("path", "dlw-axis", { d: `M${at.left} ${cy}h${at.side}M${cx} ${at.top}v${at.side}` }), ...rings, touching, run, way);
  svg.append(node("clipPath", { id }, node("rect", { x: at.left, y: at.top, width: at.side, height: at.side, rx: 6 })), inside,
    made("path", "dlw-square", { d: `M${at.left} ${at.top}h${at.side}v${at.side}h${-at.side}Z` }), text(at.left + at.side - 8, cy - 8, "w₁", "dlw-strong", "end"), text(cx + 8, at.top + 18, "w₂", "dlw-strong", "start"),
    text(at.left + 10, at.top + at.side - 12, "drag the dot, or the green edge", "dlw-strong", "start"),
    ran, bottom, found, made("path", "dlw-gauge", { d: `M${x} ${py(0)}H${right}` }), chosen, ...lines, ...dots, ...said,
    ...[-1, 0, 1].map((v) => text(x - 8, py(v) + 4, number(v), "", "end")), text((x + right) / 2, foot + 37, "λ"),
    ...[0, Math.floor(last / 3), Math.floor((2 * last) / 3), last].map((k) => text(px(k), foot + 18, number(Number(factors[k].toPrecision(1))))));
  return { svg, at, px, py, rings, touching, allowed, way, run, ran, bottom, found, lines, dots, chosen, said };
}

const put = (circle, [x, y]) => { circle.setAttribute("cx", x.toFixed(1)); circle.setAttribute("cy", y.toFixed(1)); };

// `now` has curvature H, minimum m, share, w, bound, course (the minimisers for all λ), chosen (which of them), and descent (the time, or null).
export function show(picture, now) {
  const { at, px, py } = picture, { H, m, w } = now, closed = (points) => `${path(points.map((p) => place(at, p)))}Z`, whole = loss(H, m, [0, 0]);
  picture.rings.forEach((ring, i) => ring.setAttribute("d", closed(ellipse(H, m, whole * LEVELS[i] ** 2))));
  picture.touching.setAttribute("d", closed(ellipse(H, m, Math.max(loss(H, m, w), 1e-9))));
  picture.allowed.setAttribute("d", closed(region(now.share, now.bound)));
  picture.way.setAttribute("d", path(now.course.map((p) => place(at, p))));
  const times = Array.from({ length: 120 }, (_, k) => 0.02 * 1.08 ** k);
  picture.run.setAttribute("d", now.descent === null ? "M0 0" : path([[0, 0], ...times.map((t) => descended(H, m, t))].map((p) => place(at, p))));
  put(picture.ran, now.descent === null ? [-99, -99] : place(at, descended(H, m, now.descent)));
  put(picture.bottom, place(at, m));
  put(picture.found, place(at, w));
  picture.chosen.setAttribute("d", `M${px(now.chosen).toFixed(1)} ${at.panel.y}V${at.panel.foot}`);
  [0, 1].forEach((i) => {
    picture.lines[i].setAttribute("d", path(now.course.map((p, k) => [px(k), py(p[i])])));
    put(picture.dots[i], [px(now.chosen), py(w[i])]);
    picture.said[i].textContent = `${i ? "w₂" : "w₁"} = ${number(Number(w[i].toFixed(3)))}`;
  });
}

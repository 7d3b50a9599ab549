// The square with points, line and weights, and the wedge that the length of the weights cannot leave. separator_still.py draws the same.
import { identity, node, number } from "./controls.js";
import { path, place } from "./square.js";

export const SIGNS = ["■", "●"], REACH = 1.1;  // by label; the square shows a little more than -1 to 1

// Where everything stands in a picture of this width.
export function sheet(width) {
  const wide = width >= 640, side = wide ? Math.min(460, width * 0.46) : width - 24, left = wide ? 20 : 12, top = 48;
  const panel = wide ? { x: left + side + 74, right: width - 26, y: top + 34, foot: top + side - 44 }
    : { x: 58, right: width - 16, y: top + side + 72, foot: top + side + 252 };
  return { width, wide, side, left, top, reach: REACH, panel, height: (wide ? top + side : panel.foot + 40) + 20 };
}

const marks = [(r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`, (r) => `M${-1.1 * r} 0a${1.1 * r} ${1.1 * r} 0 1 0 ${2.2 * r} 0a${1.1 * r} ${1.1 * r} 0 1 0 ${-2.2 * r} 0Z`];

// The part of the square where sign * (w · x + b) is positive, as corners in the plane.
export function half([a, c, b], sign) {
  const corners = [[-REACH, -REACH], [REACH, -REACH], [REACH, REACH], [-REACH, REACH]], score = ([x, y]) => sign * (a * x + c * y + b), kept = [];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % 4], from = score(p), to = score(q);
    if (from >= 0) kept.push(p);
    if (from * to < 0) kept.push(p.map((v, k) => v + ((q[k] - v) * from) / (from - to)));
  });
  return kept;
}

// The two ends of the line inside the square; none if it lies outside.
const ends = (weights) => half(weights, 1).filter(([x, y]) => half(weights, -1).some(([p, q]) => Math.hypot(p - x, q - y) < 1e-9));

function arrow([x, y], [p, q]) {
  const length = Math.hypot(p - x, q - y);
  if (length < 2) return "M0 0";
  const [u, v] = [(p - x) / length, (q - y) / length], head = Math.min(11, length);
  const back = [p - head * u, q - head * v];
  return `${path([[x, y], [p, q]])}${path([[back[0] - 0.45 * head * v, back[1] + 0.45 * head * u], [p, q], [back[0] + 0.45 * head * v, back[1] - 0.45 * head * u]])}`;
}

export function drawing(at) {
  const svg = node("svg", { viewBox: `0 0 ${at.width} ${at.height.toFixed(0)}`, "aria-hidden": "true" }), made = (tag, kind, more = {}) => node(tag, { class: kind, ...more });
  const id = identity(), [cx, cy] = place(at, [0, 0]), text = (x, y, words, kind = "", anchor = "start") => node("text", { x, y, class: kind, "text-anchor": anchor }, words);
  const yes = made("path", "dlw-yes"), no = made("path", "dlw-no"), ghost = made("path", "dlw-ghost"), line = made("path", "dlw-border"), weight = made("path", "dlw-weight-arrow"), push = made("path", "dlw-push"), ring = made("circle", "dlw-missed", { r: 15 });
  const points = node("g"), cursor = made("path", "dlw-cursor"), panel = node("g"), { x, right, y } = at.panel;
  const count = text(at.left, 30, "", "dlw-loud dlw-strong"), b = text(at.left + at.side - 8, at.top + at.side - 10, "", "dlw-strong", "end");
  const inside = node("g", { "clip-path": `url(#${id})` }, yes, no, made("path", "dlw-axis", { d: `M${at.left} ${cy}h${at.side}M${cx} ${at.top}v${at.side}` }), ghost, line, weight, push, points, ring, cursor);
  svg.append(node("clipPath", { id }, node("rect", { x: at.left, y: at.top, width: at.side, height: at.side, rx: 6 })), inside, made("path", "dlw-square", { d: `M${at.left} ${at.top}h${at.side}v${at.side}h${-at.side}Z` }),
    count, b, text(x, y - 20, "squared length of the weights", "dlw-strong"), panel);
  return { svg, at, yes, no, ghost, line, weight, push, ring, points, cursor, count, b, panel, right };
}

// The axes of the wedge, both in doublings: from 1 mistake to the bound, and the lengths that this allows.
export function wedge(at, run, { radius, margin, most }) {
  const made = run.states.length - 1, across = Math.max(3, Math.ceil(Math.log2(Math.max(margin ? most : 0, Math.min(made, 4096)) + 1)));
  const lengths = run.states.slice(1).map(({ weights: [a, c, b] }) => a * a + c * c + b * b), least = Math.min(margin ? margin ** 2 : Infinity, radius ** 2 / 2, ...lengths.filter((v) => v > 0));
  const low = Math.floor(Math.log2(Math.max(least, 1e-6))), high = Math.max(low + 3, Math.ceil(Math.log2(radius ** 2 * 2 ** across + 1e-9)));
  const { x, right, y, foot } = at.panel;
  return { across, low, high, lengths, px: (k) => x + ((right - x) * Math.log2(k)) / across,
    py: (v) => foot - ((foot - y) * (Math.log2(Math.max(v, 2 ** low)) - low)) / (high - low) };
}

function drawWedge({ at, panel }, run, limits, k) {
  const { across, low, high, lengths, px, py } = wedge(at, run, limits), { x, right, y, foot } = at.panel, { radius, margin, most } = limits;
  const R2 = radius ** 2, tip = margin ? R2 / margin ** 2 : 2 ** across, parts = [];
  const add = (kind, d) => parts.push(node("path", { class: kind, d })), text = (tx, ty, words, kind = "", anchor = "middle") => parts.push(node("text", { x: tx.toFixed(1), y: ty.toFixed(1), class: kind, "text-anchor": anchor }, words));
  if (radius) {
    const upper = [[px(1), py(R2)], [px(tip), py(R2 * tip)]], lower = margin ? [[px(1), py(margin ** 2)]] : [[px(tip), foot], [px(1), foot]];
    add("dlw-wedge", `${path([...upper, ...lower])}Z`);
    add("dlw-upper", path(upper));
    if (margin) { add("dlw-lower", path([lower[0], upper[1]])); add("dlw-closing", `M${px(tip)} ${py(R2 * tip)}V${foot}`); }
    add("dlw-course", path(lengths.slice(0, k).map((v, i) => [px(i + 1), py(v)])) || "M0 0");
    if (k) parts.push(node("circle", { class: "dlw-now", r: 5, cx: px(k).toFixed(1), cy: py(lengths[k - 1]).toFixed(1) }));
    const [ux, uy] = [px(2 ** (0.42 * Math.log2(tip))), py(R2 * 2 ** (0.42 * Math.log2(tip)))];
    text(ux - 10, uy - 6, "≤ R²k", "dlw-strong", "end");
    if (margin) text(px(2 ** (0.5 * Math.log2(tip))) + 12, py(margin ** 2 * tip) + 14, "≥ γ²k²", "dlw-strong", "start");
  }
  const every = Math.ceil(across / 6), over = Math.ceil((high - low) / 7), power = (e) => number(2 ** e, e < 0 ? 3 : 6);
  for (let e = 0; e <= across; e += every) text(px(2 ** e), foot + 18, number(2 ** e, 6));
  for (let e = low; e <= high; e += over) { add("dlw-gauge", `M${x} ${py(2 ** e)}H${right}`); text(x - 8, py(2 ** e) + 4, power(e), "", "end"); }
  text((x + right) / 2, foot + 38, "mistakes k (each mark doubles)");
  text(at.wide ? right : at.left + at.side, 30, !radius ? "" : margin ? `at most ${most}` : "no bound", "dlw-loud dlw-strong", "end");
  panel.replaceChildren(...parts);
}

// The picture after `time` mistakes, which need not be whole: first the missed point is ringed, then the line moves.
export function show(picture, points, run, limits, time, cursor) {
  const { at } = picture, k = Math.floor(time + 1e-6), part = time - k, next = run.states[Math.min(k + 1, run.states.length - 1)], state = run.states[k];
  const eased = part < 0.4 ? 0 : ((part - 0.4) / 0.6) ** 2 * (3 - 2 * ((part - 0.4) / 0.6)), moving = part > 1e-3, told = moving ? next : state, before = moving ? state : run.states[Math.max(0, k - 1)];
  const weights = state.weights.map((v, i) => v + eased * (next.weights[i] - v)), origin = place(at, [0, 0]);
  const longest = Math.max(0.5, ...run.states.slice(0, 200).map(({ weights: [a, c] }) => Math.hypot(a, c))), tip = ([a, c]) => place(at, [(0.85 * a) / longest, (0.85 * c) / longest]);
  const zone = (sign) => { const found = half(weights, sign); return found.length > 2 ? `${path(found.map((p) => place(at, p)))}Z` : "M0 0"; };
  const border = (w) => { const found = ends(w); return found.length > 1 ? path(found.slice(0, 2).map((p) => place(at, p))) : "M0 0"; };
  const nothing = !weights.some((v) => v);
  picture.yes.setAttribute("d", zone(1));
  picture.no.setAttribute("d", nothing ? "M0 0" : zone(-1));
  picture.line.setAttribute("d", nothing ? "M0 0" : border(weights));
  picture.ghost.setAttribute("d", before.weights.some((v) => v) && told.missed !== null ? border(before.weights) : "M0 0");
  picture.weight.setAttribute("d", arrow(origin, tip(weights)));
  const missed = told.missed === null ? null : points[told.missed];
  picture.push.setAttribute("d", missed ? arrow(tip(before.weights), tip(told.weights)) : "M0 0");
  picture.push.setAttribute("class", `dlw-push dlw-of-${missed?.[2]}`);
  const [rx, ry] = missed ? place(at, missed) : [-99, -99];
  picture.ring.setAttribute("cx", rx.toFixed(1));
  picture.ring.setAttribute("cy", ry.toFixed(1));
  picture.points.replaceChildren(...points.map(([x, y, label]) => {
    const right = (weights[0] * x + weights[1] * y + weights[2] >= 0 ? 1 : 0) === label, [px, py] = place(at, [x, y]);
    return node("path", { class: `dlw-dot dlw-of-${label}${right ? "" : " dlw-wrong"}`, d: marks[label](7), transform: `translate(${px.toFixed(1)} ${py.toFixed(1)})` });
  }));
  const [qx, qy] = cursor ? place(at, cursor) : [-99, -99];
  picture.cursor.setAttribute("d", `M${qx - 14} ${qy}h28M${qx} ${qy - 14}v28`);
  picture.count.textContent = `${k} ${k === 1 ? "mistake" : "mistakes"}`;
  picture.b.textContent = points.length ? `b = ${number(state.weights[2], 3)}` : "";
  drawWedge(picture, run, limits, Math.min(k, 4096));
}

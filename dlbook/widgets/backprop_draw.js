// The picture of the net of five numbers: units, weights on their lines, the square of all inputs, the course of the loss.
import { node, number } from "./controls.js";
import { pass } from "./backprop_net.js";

export const LOW = -0.25, HIGH = 1.25;
const GRID = 40, UNITS = ["x₁", "x₂", "h₁", "h₂", "ŷ"];

// Places of everything, for a width; backprop_still.py does the same.
export function sheet(width) {
  const wide = width >= 640, side = wide ? Math.min(300, width * 0.33) : Math.min(width - 64, 270), net = wide ? width - side - 50 : width, r = wide ? 32 : 24, top = wide ? 112 : 96, gap = 200, chip = wide ? [86, 40] : [66, 38];
  const columns = wide ? [52, net * 0.46, net * 0.82] : [34, width / 2, width - 38];
  const units = [[columns[0], top], [columns[0], top + gap], [columns[1], top], [columns[1], top + gap], [columns[2], top + gap / 2]];
  const square = wide ? [width - side - 14, 34, side] : [(width - side) / 2, 432, side], along = ([a, b], t) => [units[a][0] + t * (units[b][0] - units[a][0]), units[a][1] + t * (units[b][1] - units[a][1])];
  const low = units[4][1] + r + (wide ? 64 : 50);
  const chips = [along([0, 2], 0.5), along([1, 2], 0.36), [columns[1], top - r - (wide ? 50 : 46)], along([0, 3], 0.36), along([1, 3], 0.5), [columns[1], top + gap + r + (wide ? 48 : 44)],
    along([2, 4], 0.5), along([3, 4], 0.5), [columns[2], low]];
  return { wide, r, units, chips, chip, square, strip: [square[0], square[1] + side + 44, side, 42], height: Math.max(square[1] + side + 96, top + gap + r + 84), told: [columns[2], units[4][1] - r - (wide ? 58 : 68)] };
}

const EDGES = [[0, 2, 0], [1, 2, 1], [0, 3, 3], [1, 3, 4], [2, 4, 6], [3, 4, 7]];  // from, to, place in NUMBERS

// Three digits and a sign that keeps its place.
export const short = (v) => (Math.abs(v) < 0.0005 ? (v === 0 ? "0" : number(v, 3)) : number(Number(v.toFixed(Math.abs(v) >= 10 ? 1 : Math.abs(v) >= 1 ? 2 : 3)), 3));

// The line where the values of a grid cross one half, as a path over [0, GRID].
export function contour(values, across) {
  const cut = (a, b) => (0.5 - a) / (b - a), lines = [];
  for (let j = 0; j + 1 < across; j++) for (let i = 0; i + 1 < across; i++) {
    const [a, b, c, d] = [values[j * across + i], values[j * across + i + 1], values[(j + 1) * across + i + 1], values[(j + 1) * across + i]], ends = [];
    if ((a > 0.5) !== (b > 0.5)) ends.push([i + cut(a, b), j]);
    if ((b > 0.5) !== (c > 0.5)) ends.push([i + 1, j + cut(b, c)]);
    if ((d > 0.5) !== (c > 0.5)) ends.push([i + cut(d, c), j + 1]);
    if ((a > 0.5) !== (d > 0.5)) ends.push([i, j + cut(a, d)]);
    for (let k = 0; k + 1 < ends.length; k += 2) lines.push(`M${ends[k].map((v) => v.toFixed(2)).join(" ")}L${ends[k + 1].map((v) => v.toFixed(2)).join(" ")}`);
  }
  return lines.join("");
}

// Where a unit's sum is zero: the ends of a line within the square, or none.
function border([a, b, c]) {
  const found = [];
  for (const v of [LOW, HIGH]) {
    if (b) { const y = -(a * v + c) / b; if (y >= LOW && y <= HIGH) found.push([v, y]); }
    if (a) { const x = -(b * v + c) / a; if (x > LOW && x < HIGH) found.push([x, v]); }
  }
  return found.length > 1 ? [found[0], found[found.length - 1]] : [];
}

export function picture(width, spec) {
  const at = sheet(width), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" }), [sx, sy, side] = at.square, [cw, ch] = at.chip;
  const to = ([x, y]) => [sx + ((x - LOW) / (HIGH - LOW)) * side, sy + side - ((y - LOW) / (HIGH - LOW)) * side];
  const paper = document.createElement("canvas"), pen = paper.getContext("2d");
  paper.width = paper.height = GRID;
  const lines = EDGES.map(() => node("line", { class: "dlw-edge" })), flows = EDGES.map(() => node("line", { class: "dlw-flow" }));
  EDGES.forEach(([a, b], i) => [lines[i], flows[i]].forEach((line) => { [["x1", a, 0], ["y1", a, 1], ["x2", b, 0], ["y2", b, 1]].forEach(([key, unit, axis]) => line.setAttribute(key, at.units[unit][axis])); }));
  const chips = at.chips.map(([x, y], i) => {
    const name = node("text", { x, y: y - 4, "text-anchor": "middle", class: "dlw-strong" }), slope = node("text", { x, y: y + 13, "text-anchor": "middle", class: "dlw-orange" });
    return { name, slope, g: node("g", { class: "dlw-chip", "data-at": i }, node("rect", { x: x - cw / 2, y: y - ch / 2, width: cw, height: ch, rx: 7 }), name, slope) };
  });
  const units = at.units.map(([x, y], i) => {
    const value = node("text", { x, y: y + 5, "text-anchor": "middle", class: "dlw-loud dlw-value" }), back = node("text", { x, y: y + at.r + 17, "text-anchor": "middle", class: "dlw-orange" });
    const disc = node("circle", { cx: x, cy: y, r: at.r, class: "dlw-disc" }), glow = node("circle", { cx: x, cy: y, r: at.r + 4, class: "dlw-glow" });
    return { value, back, disc, glow, g: node("g", i < 2 ? { class: "dlw-chip", "data-at": 9 + i } : {}, glow, disc, value, node("text", { x, y: y - at.r - 9, "text-anchor": "middle", class: "dlw-blue dlw-loud" }, UNITS[i]), back) };
  });
  const told = ["target", "loss"].map((word, i) => node("text", { x: at.told[0], y: at.told[1] + 18 * i, "text-anchor": "middle", class: "dlw-strong" }, word));
  const surface = node("image", { x: sx, y: sy, width: side, height: side, preserveAspectRatio: "none", class: "dlw-surface" }), half = node("path", { class: "dlw-half", transform: `translate(${sx} ${sy}) scale(${side / (GRID - 1)})` });
  const borders = [0, 1].map(() => node("line", { class: "dlw-border" })), labels = ["h₁", "h₂"].map((word) => node("text", { class: "dlw-strong" }, word));
  const marks = spec.cases.map(([a, b, target]) => { const [x, y] = to([a, b]); return node("circle", { cx: x, cy: y, r: 9, class: target ? "dlw-case dlw-one" : "dlw-case" }); });
  const crosses = spec.cases.map(([a, b]) => { const [x, y] = to([a, b]); return node("path", { d: `M${x + 10} ${y - 18}l8 8m0 -8l-8 8`, class: "dlw-wrong" }); });
  const here = node("circle", { r: 15, class: "dlw-here" }), word = node("text", { x: sx, y: sy - 12, class: "dlw-strong" }, "every input, and the answer to it");
  const axes = [node("text", { x: sx + side / 2, y: sy + side + 18, "text-anchor": "middle" }, "x₁"), node("text", { x: sx - 8, y: sy + side / 2, "text-anchor": "end" }, "x₂"), ...[0, 1].flatMap((v) => [
    node("text", { x: to([v, 0])[0], y: sy + side + 18, "text-anchor": "middle" }, v), node("text", { x: sx - 8, y: to([0, v])[1] + 4, "text-anchor": "end" }, v)])];
  const [lx, ly, lw, lh] = at.strip, torch = node("path", { class: "dlw-torch" }), live = node("path", { class: "dlw-live" }), rule = node("path", { class: "dlw-rule", d: `M${lx} ${ly + lh}h${lw}` });
  const course = node("text", { x: lx + lw, y: ly - 6, "text-anchor": "end" });
  svg.append(...lines, ...flows, ...chips.map((c) => c.g), ...units.map((u) => u.g), ...told, surface, half, ...borders, ...labels, ...marks, ...crosses, here, word, ...axes, rule, torch, live, course);

  // `shown` is how far the wave has come: 0 to 1 forward, 1 to 2 back; 2 is all of it.
  const drawNet = (weights, x, target, found, chosen, shown) => {
    const values = [...x, ...found.h, found.y], deltas = [found.gradient[9], found.gradient[10], ...found.deltas], depth = [0, 0, 1, 1, 2], most = Math.max(1e-9, ...found.deltas.map(Math.abs));
    const forward = (level) => shown >= level / 2, back = (level) => shown >= 2 - level / 2;
    units.forEach((unit, i) => {
      unit.value.textContent = forward(depth[i]) ? short(values[i]) : "";
      unit.disc.style.setProperty("--part", forward(depth[i]) ? Math.max(0, Math.min(1, values[i])) : 0);
      unit.back.textContent = back(depth[i]) ? `${i < 2 ? "∂" : "δ"} ${short(deltas[i])}` : "";
      unit.glow.style.opacity = back(depth[i]) ? 0.25 + 0.75 * Math.min(1, Math.abs(deltas[i]) / most) : 0;
      unit.g.classList.toggle("dlw-picked", i < 2 && chosen === 9 + i);
    });
    chips.forEach((each, i) => {
      const level = i < 6 ? 1 : 2;
      each.name.textContent = `${["w₁₁", "w₁₂", "b₁", "w₂₁", "w₂₂", "b₂", "v₁", "v₂", "b₃"][i]} ${number(Number(weights[i].toFixed(2)), 4)}`;
      each.slope.textContent = back(level) ? short(found.gradient[i]) : "";
      each.g.classList.toggle("dlw-picked", chosen === i);
    });
    EDGES.forEach(([a, b, i], k) => {
      lines[k].style.strokeWidth = Math.min(9, 1 + 1.1 * Math.abs(weights[i]));
      lines[k].classList.toggle("dlw-negative", weights[i] < 0);
      lines[k].classList.toggle("dlw-lit", forward(depth[b]));
      flows[k].style.opacity = back(depth[b]) ? Math.min(1, Math.abs(found.deltas[b - 2] * weights[i]) / most) * 0.9 : 0;
    });
    told[0].textContent = `target ${target}`;
    told[1].textContent = forward(2) ? `loss ${short(found.loss)}` : "";
  };
  const drawSquare = (weights, x, loss) => {
    const values = new Float64Array(GRID * GRID), pixels = pen.createImageData(GRID, GRID);
    for (let j = 0; j < GRID; j++) for (let i = 0; i < GRID; i++) {
      const y = pass(weights, [LOW + ((HIGH - LOW) * i) / (GRID - 1), HIGH - ((HIGH - LOW) * j) / (GRID - 1)], 0, loss).y, k = 4 * (j * GRID + i);
      values[j * GRID + i] = y;
      [[20, 84], [27, 160], [40, 235], [255, 255]].forEach(([dark, light], c) => { pixels.data[k + c] = dark + (light - dark) * y; });
    }
    pen.putImageData(pixels, 0, 0);
    surface.setAttribute("href", paper.toDataURL());
    half.setAttribute("d", contour(values, GRID));
    borders.forEach((line, k) => {
      const ends = border(weights.slice(3 * k, 3 * k + 3)).map(to), visible = ends.length > 0;
      line.style.display = labels[k].style.display = visible ? "" : "none";
      if (!visible) return;
      ["x1", "y1", "x2", "y2"].forEach((key, i) => line.setAttribute(key, ends[i >> 1][i % 2]));
      labels[k].setAttribute("x", Math.min(sx + side - 22, Math.max(sx + 4, 0.95 * ends[0][0] + 0.05 * ends[1][0] + 5)));
      labels[k].setAttribute("y", Math.min(sy + side - 6, Math.max(sy + 14, 0.95 * ends[0][1] + 0.05 * ends[1][1] - 5)));
    });
    spec.cases.forEach(([a, b, target], i) => { crosses[i].style.display = (pass(weights, [a, b], target, loss).y > 0.5) === (target > 0.5) ? "none" : ""; });
    const [px, py] = to(x);
    here.setAttribute("cx", px);
    here.setAttribute("cy", py);
  };
  const drawCourse = (losses, curve, step) => {
    const top = Math.max(...curve, ...losses.map(([, v]) => v), 1e-6), place = (t, v) => `${(lx + (lw * t) / spec.steps).toFixed(1)} ${(ly + lh * (1 - Math.min(1, v / top))).toFixed(1)}`;
    torch.setAttribute("d", curve.length ? `M${curve.map((v, i) => place(i * spec.every, v)).join("L")}` : "");
    live.setAttribute("d", losses.length ? `M${losses.map(([t, v]) => place(t, v)).join("L")}` : "");
    course.textContent = `loss of all cases, ${step} steps`;
  };
  // The inputs under a pointer's place in the picture, or null outside the square.
  const inputs = (px, py) => { const x = LOW + ((px - sx) / side) * (HIGH - LOW), y = LOW + ((sy + side - py) / side) * (HIGH - LOW); return [x, y].every((v) => v >= LOW && v <= HIGH) ? [x, y] : null; };
  return { svg, drawNet, drawSquare, drawCourse, inputs };
}

// The picture of thinned networks: digit, two columns of units, and a row for each class with what every network gave it.
import { node } from "./controls.js";

const SPREAD = 0.3; // of a row: how far a dot may stand from the row's middle

// Where everything stands in a picture of this width; thinned_still.py does the same.
export function board(width, widths, classes) {
  const wide = width >= 640, top = 58, body = 380, row = body / classes, size = wide ? 112 : 46, left = wide ? 24 : 6;
  const columns = wide ? [left + size + 62, left + size + 172] : [74, 116], names = wide ? columns[1] + 78 : 140;
  const start = names + (wide ? 26 : 18), stop = width - (wide ? 30 : 14);
  const unit = (layer, i) => [columns[layer], top + ((i + 0.5) * body) / widths[layer]];
  return { wide, top, body, row, size, left, columns, names, start, stop, unit, radius: Math.min(6.5, 0.42 * (body / Math.max(...widths))),
    height: top + body + 40, level: (k) => top + (k + 0.5) * row, x: (p) => start + p * (stop - start) };
}

// Up and down within its row, by the number of the network: the same at every look.
const shifted = (k) => ((((k + 1) * 0.6180339887) % 1) - 0.5) * 2 * SPREAD;

const dots = (places) => places.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("") || "M0 0";

export function drawing(spec, width) {
  const at = board(width, spec.widths, spec.classes.length), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const image = node("image", { class: "dlw-digit", x: at.left, y: at.top + at.body / 2 - at.size / 2, width: at.size, height: at.size });
  const lines = [0, 1].map(() => node("path", { class: "dlw-lines" }));
  const units = spec.widths.flatMap((count, layer) => Array.from({ length: count }, (_, i) => {
    const [cx, cy] = at.unit(layer, i), base = node("circle", { class: "dlw-unlit", cx, cy, r: at.radius }), lamp = node("circle", { class: "dlw-lamp", cx, cy, r: at.radius });
    const d = 0.75 * at.radius, cross = node("path", { class: "dlw-cross", d: `M${cx - d} ${cy - d}l${2 * d} ${2 * d}M${cx - d} ${cy + d}l${2 * d} ${-2 * d}` });
    return { cx, cy, base, lamp, cross };
  }));
  const rows = spec.classes.map((name, k) => {
    const y = at.level(k), word = node("text", { class: "dlw-loud", x: at.names, y: y + 5, "text-anchor": "middle" }, name), cloud = node("path", { class: "dlw-cloud" });
    const bar = node("path", { class: "dlw-bar" }), whole = node("path", { class: "dlw-gem" }), last = node("circle", { class: "dlw-last", r: 5 });
    return { y, word, cloud, bar, whole, last, floor: node("path", { class: "dlw-floor", d: `M${at.start} ${y}H${at.stop}` }) };
  });
  const foot = at.top + at.body, ticks = [0, 0.5, 1].flatMap((p) => [node("path", { class: "dlw-floor", d: `M${at.x(p)} ${at.top}V${foot}` }),
    node("text", { x: at.x(p), y: foot + 18, "text-anchor": p === 1 ? "end" : p ? "middle" : "start" }, p === 0.5 ? "½" : p)]);
  const here = node("circle", { class: "dlw-here", r: at.radius + 4, visibility: "hidden" });
  svg.append(image, ...lines, ...units.flatMap((u) => [u.base, u.lamp, u.cross]), ...ticks, ...rows.flatMap((r) => [r.floor, r.word, r.cloud, r.whole, r.bar, r.last]), here, ...legend(at, foot));
  return { at, svg, image, lines, units, rows, here };
}

function legend(at, foot) {
  const tight = at.stop < 300, right = tight ? 130 : 190, words = tight ? ["one thinned", "the latest", "their mean", "the whole"] : ["one thinned network", "the latest", "their mean", "the whole network"];
  const steps = at.wide ? [0, 156, 246, 342].map((x) => [at.left + 8 + x, 30]) : [[8, 20], [right, 20], [8, 42], [right, 42]];
  const signs = [node("path", { class: "dlw-cloud", d: dots([[0, 0]]) }), node("circle", { class: "dlw-last", r: 5 }), node("path", { class: "dlw-bar", d: "M0 -8V8" }), node("path", { class: "dlw-gem", d: "M0 -7L7 0L0 7L-7 0Z" })];
  const keys = signs.map((sign, i) => node("g", { transform: `translate(${steps[i][0] + 6} ${steps[i][1] - 4})` }, sign, node("text", { x: 13, y: 4.5 }, words[i])));
  return [...keys, node("text", { x: at.wide ? (at.start + at.stop) / 2 : at.stop + 8, y: foot + 34, "text-anchor": at.wide ? "middle" : "end" }, at.wide ? "probability that a network gives the class" : "probability of the class")];
}

// Lines from the units that give something, the stronger the brighter; `ends` are where they lead.
function strands(from, weights, values, ends) {
  const all = weights.flatMap((row, j) => row.map((w, i) => ({ i, j, size: Math.abs(w * values[i]) }))), most = Math.max(1e-9, ...all.map((s) => s.size));
  return all.filter((s) => s.size > 0.25 * most && ends(s.j)).map(({ i, j }) => `M${from(i).map((v) => v.toFixed(1)).join(" ")}L${ends(j).map((v) => v.toFixed(1)).join(" ")}`).join("") || "M0 0";
}

// Shows digit, units and lines of the network that runs now, and the votes of those before it.
export function show({ at, image, lines, units, rows }, spec, { digit, net, there, now, votes, mean, whole, count }) {
  const [first, second] = spec.widths, values = [...now.one, ...now.two], tops = [Math.max(1e-9, ...now.one), Math.max(1e-9, ...now.two)];
  image.setAttribute("href", spec.pictures[digit]);
  units.forEach((unit, i) => {
    unit.lamp.style.fillOpacity = there[i] ? Math.sqrt(values[i] / tops[i < first ? 0 : 1]) : 0;
    unit.base.style.opacity = there[i] ? 1 : 0.35;
    unit.cross.style.display = there[i] ? "none" : "";
  });
  lines[0].setAttribute("d", strands((i) => at.unit(0, i), net.w2, now.one, (j) => (there[first + j] ? at.unit(1, j) : null)));
  lines[1].setAttribute("d", strands((i) => at.unit(1, i), net.w3, now.two, (k) => [at.names - 11, at.level(k)]));
  rows.forEach((row, k) => {
    const right = k === spec.labels[digit];
    [row.word, row.cloud].forEach((part) => part.classList.toggle("dlw-true", right));
    row.cloud.setAttribute("d", dots(votes.map((vote, v) => [at.x(vote[k]), row.y + shifted(v) * at.row])));
    row.bar.setAttribute("d", count ? `M${at.x(mean[k]).toFixed(1)} ${row.y - 0.42 * at.row}V${row.y + 0.42 * at.row}` : "M0 0");
    const x = at.x(whole[k]), d = at.wide ? 8 : 6;
    row.whole.setAttribute("d", `M${x.toFixed(1)} ${row.y - d}l${d} ${d}l${-d} ${d}l${-d} ${-d}Z`);
    row.last.setAttribute("cx", at.x(now.probs[k]));
    row.last.setAttribute("cy", row.y);
  });
}

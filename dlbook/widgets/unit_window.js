// The inside of one output cell, enlarged: products and their sum, the largest, a normalisation, or the patches of an attention.
import { node } from "./controls.js";
import { image } from "./unit_board.js";
import { exact, percent, products, result, toned, weightText } from "./unit_products.js";
import { ATTENTION, AVERAGE, CONVOLUTION, MAXIMUM, NORM, moments, normed } from "./unit_values.js";

const MOST = 5, BINS = 32;  // patches that are shown; bars of the histogram

function windowed(spec, values, { seen, value, winner }) {
  const { operation } = values, weights = operation === CONVOLUTION ? spec.kernels[values.kernel].flat() : operation === AVERAGE ? seen.map(() => 1 / seen.length) : null;
  return { title: weights ? "window × weights" : "window", parts: [products(seen, weights, winner, operation === AVERAGE),
    result(weights ? `sum of the ${seen.length} products` : `largest of ${seen.length}`, value)] };
}

// All pixels of the batch as bars, with mean, one deviation to both sides, and the pixel that is normalised.
function histogram(pixels, { mean, variance }, value) {
  const counts = Array(BINS).fill(0), x = (v) => 8 + 224 * v, deviation = Math.sqrt(variance);
  pixels.forEach((v) => { counts[Math.min(BINS - 1, Math.floor(v * BINS))] += 1; });
  const most = Math.max(...counts), bars = counts.map((count, k) => `M${x(k / BINS)} 84v${-(62 * count) / most}h${224 / BINS - 1}V84Z`).join("");
  return node("svg", { class: "dlw-histogram", viewBox: "0 0 240 106", "aria-hidden": "true" }, node("rect", { class: "dlw-band", x: x(mean - deviation), y: 16, width: 448 * deviation, height: 68 }),
    node("path", { class: "dlw-bars", d: bars }), node("path", { class: "dlw-middle", d: `M${x(mean)} 16V84` }), node("path", { class: "dlw-this", d: `M${x(value)} 12V90` }),
    node("text", { x: x(mean), y: 11, "text-anchor": "middle" }, "μ ± σ"), node("text", { class: "dlw-strong", x: x(value), y: 103, "text-anchor": "middle" }, "x"));
}

function normalised(spec, values, { pixels, x, value }) {
  const both = moments(pixels), centre = x - both.mean, unit = normed(x, both), count = pixels.length / spec.side ** 2;
  const row = (name, how, number) => node("tr", {}, node("th", { scope: "row" }, name), node("td", {}, how), node("td", { class: toned(number) || null }, node("b", {}, exact(number))));
  return { title: "one pixel, normalised", parts: [histogram(pixels, both, x),
    node("p", { class: "dlw-small" }, `μ and σ² are those of all ${pixels.length.toLocaleString("en-US")} pixels of the ${count} photographs`),
    node("table", { class: "dlw-steps-table" }, node("caption", { class: "dlw-hidden" }, "the steps of batch norm at this pixel"), node("tbody", {},
      row("x", "the pixel", x), row("x − μ", `− ${exact(both.mean)}`, centre), row("x̂", `÷ √(${exact(both.variance)} + ε)`, unit), row("γ x̂ + β", `× ${weightText(values["γ"])} + ${weightText(values["β"])}`, value)))] };
}

function gathered(spec, values, { patches, weights, cells, at }) {
  const order = weights[at].map((weight, p) => [weight, p]).sort((a, b) => b[0] - a[0]), rest = order.slice(MOST).reduce((sum, [weight]) => sum + weight, 0);
  const thumb = (pixels) => node("img", { src: image(pixels, spec.patch, false), alt: "", width: 34, height: 34 });
  const sums = patches[0].map((_, k) => weights[at].reduce((sum, weight, p) => sum + weight * patches[p][k], 0));
  const row = (picture, words, part) => node("tr", {}, node("td", {}, picture), node("th", { scope: "row" }, words), node("td", {}, node("span", { class: "dlw-weigh", style: `--dlw-part: ${(100 * part) / Math.max(order[0][0], rest)}%` }), node("b", {}, percent(part))));
  const name = (p) => (p === at ? "itself" : `row ${Math.floor(p / cells) + 1}, column ${(p % cells) + 1}`);
  return { title: "patches × weights", parts: [node("table", { class: "dlw-attended" }, node("caption", { class: "dlw-hidden" }, "the patches that weigh most"), node("tbody", {},
    ...order.slice(0, MOST).map(([weight, p]) => row(thumb(patches[p]), name(p), weight)), row("", `the other ${patches.length - MOST}`, rest))),
  node("p", { class: "dlw-result" }, thumb(patches[at]), " becomes this sum ", thumb(sums))] };
}

// What one cell is made of, as {title, parts}.
export const enlarged = (spec, values, inside) => ({ [NORM]: normalised, [ATTENTION]: gathered }[values.operation] ?? windowed)(spec, values, inside);

// The same in one sentence.
export function sentence(values, shape, row, column, inside) {
  const place = `row ${row + 1}, column ${column + 1}`;
  if (values.operation === ATTENTION) {
    const [most, p] = inside.weights[inside.at].map((weight, q) => [weight, q]).sort((a, b) => b[0] - a[0])[0];
    return `The patch in ${place} gives ${percent(most)} of its weight to ${p === inside.at ? "itself" : `the patch in row ${Math.floor(p / shape.cells) + 1}, column ${(p % shape.cells) + 1}`}; its output is the weighted sum of all ${inside.patches.length} patches.`;
  }
  if (values.operation === NORM) return `Output ${place}: the pixel ${exact(inside.x)} becomes ${exact(inside.value)}.`;
  const first = inside.seen[0], how = { [MAXIMUM]: "the largest of its", [AVERAGE]: "the mean of its", [CONVOLUTION]: "the sum of its" }[values.operation];
  const corner = inside.seen.some(({ value }) => value === null) ? "reaches over the edge" : `begins at row ${first.y + 1}, column ${first.x + 1}`;
  return `Output ${place}: the window ${corner}; ${how} ${inside.seen.length} ${values.operation === CONVOLUTION ? "products" : "pixels"} is ${exact(inside.value)}.`;
}

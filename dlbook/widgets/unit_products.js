// The window of one output cell as a table of numbers: the one multiplication that a network is made of.
import { node } from "./controls.js";

export const fixed = (value, digits = 2) => (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits).replace("-", "−");
export const exact = (value) => fixed(value, 3);
export const percent = (part) => (part < 0.005 ? "<\u00a01\u00a0%" : `${Math.round(100 * part)}\u00a0%`);
export const weightText = (weight) => (Number.isInteger(weight) ? fixed(weight, 0) : fixed(weight));
export const toned = (value) => (value > 0 ? "dlw-plus" : value < 0 ? "dlw-minus" : "");

// A pixel in its own grey, with its number in the ink that stands out from it.
const pixel = (value) => node("span", { class: `dlw-pixel${value > 0.46 ? " dlw-bright" : ""}`, style: `--dlw-grey: ${Math.round(255 * value)}` }, fixed(value));

export const result = (words, value) => node("p", { class: `dlw-result ${toned(value)}` }, `${words} `, node("b", {}, exact(value)));

// The window as a table: each cell the pixel, its weight, their product; or the pixel alone, where the largest is taken. `share`: a mean.
export function products(seen, weights, winner, share) {
  const side = Math.sqrt(seen.length), most = Math.max(...(weights ?? [1]).map(Math.abs)) || 1;
  const cell = ({ value, y, x }, k) => {
    if (!weights) {
      return node("td", { class: winner === seen[k] ? "dlw-largest" : null }, value === null ? node("span", { class: "dlw-pixel dlw-outside" }, "outside") : pixel(value),
        winner === seen[k] ? node("span", { class: "dlw-weight" }, "largest") : null);
    }
    const product = (value ?? 0) * weights[k];
    return node("td", { class: toned(product) || null, style: `--dlw-part: ${Math.round(32 * Math.min(1, Math.abs(product) / most))}%` },
      value === null ? node("span", { class: "dlw-pixel dlw-outside" }, "0") : pixel(value),
      node("span", { class: `dlw-weight ${toned(weights[k])}` }, "× " + (share ? `1/${seen.length}` : weightText(weights[k]))), node("span", { class: "dlw-product" }, fixed(product, share ? 3 : 2)));
  };
  const cells = seen.map(cell), rows = Array.from({ length: side }, (_, r) => node("tr", {}, ...cells.slice(r * side, (r + 1) * side)));
  return node("table", { class: `dlw-products dlw-side-${side}` }, node("caption", { class: "dlw-hidden" },
    weights ? "the window: pixel, weight, product" : "the window: the largest is taken"), node("tbody", {}, ...rows));
}

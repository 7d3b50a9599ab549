// The inside of the chosen cell: one window of products, the sum over all maps, and what follows.
import { node, slider } from "./controls.js";
import { exact, products, result } from "./unit_products.js";

// Shows a cell of `cellOf`; where it sums over many maps, a slider chooses whose products are shown, at first the largest sum's.
export function inside() {
  const title = node("p", { class: "dlw-board-title" }), table = node("div"), choose = node("div"), steps = node("div");
  let chosen = null, shown = null, cell = null;
  const draw = () => {
    const { seen, weights, sum } = cell.windows.find(({ map }) => map === shown), winner = weights ? null : seen.find(({ value }) => value === cell.value);
    table.replaceChildren(products(seen, weights, winner));
    const row = (words, value) => node("tr", {}, node("th", { scope: "row" }, words), node("td", {}, exact(value)));
    if (!weights) { steps.replaceChildren(result(`largest of ${seen.length}`, cell.value)); return; }
    steps.replaceChildren(node("table", { class: "dlw-steps-table" }, node("tbody", {}, row(`sum of these ${seen.length}`, sum),
      ...(cell.windows.length > 1 ? [row(`sum over ${cell.windows.length} maps${cell.bias === null ? "" : " and bias"}`, cell.total)] : []),
      ...(cell.normed === null ? [] : [row("normalised, scaled, shifted", cell.normed)]))), result(cell.normed === null ? "logit" : "after ReLU", cell.value));
  };
  return { element: node("div", { class: "dlw-zoom" }, title, table, choose, steps),
    show(found, words) {
      const count = found.windows.length, best = found.windows.reduce((top, one) => (Math.abs(one.sum ?? 0) > Math.abs(top.sum ?? 0) ? one : top)).map;
      const fresh = words !== title.textContent || !cell || cell.windows.length !== count;
      cell = found;
      if (fresh || !cell.windows.some(({ map }) => map === shown)) {
        shown = best;
        title.textContent = words;
        chosen = count > 1 ? slider("products with map", found.windows.map(({ map }) => map + 1), (map) => { shown = map - 1; draw(); }) : null;
        choose.replaceChildren(...(chosen ? [chosen.element] : []));
        chosen?.update(shown + 1);
      }
      draw();
    } };
}

// The numbers of a figure as a table that opens below it: for those who do not see the picture, and for those who want its numbers.
import { later, node } from "./controls.js";

// `make` gives rows of texts, the first their heads. They are written where the table is open, and anew when the figure changes.
export function tabled(model, root, make) {
  const body = node("table"), words = `The numbers of: ${model.get("title")}`;
  const place = node("div", { class: "dlw-scroll", tabindex: "0", role: "region", "aria-label": words }, body);
  const box = node("details", { class: "dlw-table", ontoggle: () => write() }, node("summary", {}, "Numbers as a table"), place);
  const row = (kind, scope, [name, ...cells]) => node("tr", {}, node("th", { scope }, name), ...cells.map((text) => (kind === "th" ? node("th", { scope }, text) : node("td", {}, text))));
  const write = () => {
    if (!box.open) return;
    const [head, ...rows] = make();
    body.replaceChildren(node("caption", { class: "dlw-hidden" }, words), node("thead", {}, row("th", "col", head)), node("tbody", {}, ...rows.map((cells) => row("td", "row", cells))));
  };
  const anew = later(200, () => (root.isConnected ? write() : model.off("change", anew)));
  model.on("change", anew);
  root.append(box);
}

// About `count` places, evenly over a row of `length`, both ends among them.
export const evenly = (length, count) => [...new Set(Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1))))];

// The two answers, digit by digit, as a table of bars; a digit of it can be chosen to be explained.
import { identity, node } from "./controls.js";
import { percent } from "./unit_products.js";

export function answers(names, choose) {
  const group = identity(), radios = Array.from({ length: 10 }, (_, digit) => node("input", { type: "radio", name: group, value: digit, "aria-label": `explain the ${digit}`, onchange: () => choose(digit) }));
  const cells = radios.map(() => names.map(() => node("td")));
  const rows = radios.map((radio, digit) => node("tr", {}, node("th", { scope: "row" }, node("label", { class: "dlw-radio" }, radio, node("span", {}, String(digit)))), ...cells[digit]));
  const element = node("table", { class: "dlw-answers" }, node("caption", { class: "dlw-hidden" }, "the probability of each digit, by each network; choose the digit to be explained"),
    node("thead", {}, node("tr", {}, ...["digit", ...names].map((name) => node("th", { scope: "col" }, name)))), node("tbody", {}, ...rows));
  return { element, explain: (digit) => { radios[digit].checked = true; },
    show: (both) => cells.forEach((row, digit) => row.forEach((cell, i) => {
      const part = both ? both[i][digit] : 0;
      cell.replaceChildren(node("span", { class: "dlw-weigh", style: `--dlw-part: ${(100 * part).toFixed(1)}%` }), node("b", {}, both ? percent(part) : "–"));
    })) };
}

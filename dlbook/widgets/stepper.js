// A computation, step by step: tables of numbers, the cells that matter marked by frame and weight, not by colour alone.
import { button, calm, frame, identity, keeper, listen, node } from "./controls.js";

const numeric = (text) => Number(text.replace("−", "-") || NaN);

// A table; its numbers are coloured by their size, above zero and below in two colours, as far as the largest.
function table(grid, pictures) {
  const marked = new Set(grid.highlight.map(([r, c]) => `${r},${c}`));
  const most = Math.max(...grid.cells.flat().map(numeric).filter(Number.isFinite).map(Math.abs), 0);
  const cell = (text, r, c) => {
    const value = numeric(text), on = marked.has(`${r},${c}`);
    const tone = grid.tint && value ? (value > 0 ? "dlw-plus" : "dlw-minus") : "";
    return node("td", { class: [on ? "dlw-marked" : "", tone].join(" ").trim() || null, style: tone ? `--dlw-part: ${Math.round((45 * Math.abs(value)) / most)}%` : null },
      text, on ? node("span", { class: "dlw-hidden" }, " (marked)") : null);
  };
  const label = (name) => node("th", { scope: "row" }, pictures[name] ? node("img", { src: pictures[name], alt: `picture of ${name}`, class: "dark-light" }) : null, name);
  const head = grid.columns ? node("thead", {}, node("tr", {}, grid.rows ? node("td") : null,
    ...grid.columns.map((name) => node("th", { scope: "col" }, name)))) : null;
  const body = grid.cells.map((row, r) => node("tr", {}, grid.rows ? label(grid.rows[r]) : null,
    ...row.map((text, c) => cell(text, r, c))));
  const made = node("table", {}, node("caption", {}, grid.name), head, node("tbody", {}, ...body));
  return node("div", { class: "dlw-scroll", tabindex: "0", role: "region", "aria-label": grid.name }, made);
}

// Play and pause; only where the author asked for it and the reader's system does not ask for less motion.
function player(seconds, go, atEnd) {
  if (!seconds || calm()) return null;
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; press.sign("play"); press.element.setAttribute("aria-label", "play"); };
  const start = () => {
    if (atEnd()) go(0);
    timer = setInterval(() => (atEnd() ? stop() : go(null)), seconds * 1000);
    press.sign("pause");
    press.element.setAttribute("aria-label", "pause");
  };
  const press = button("play", "play", () => (timer ? stop() : start()));
  return { element: press.element, stop };
}

function render({ model, el }) {
  const { steps, autoplay, pictures } = model.get("spec");
  const { content, say } = frame(model, el, "stepper");
  const keep = keeper(model), last = steps.length - 1, id = identity();
  const go = (to) => {
    const next = Math.min(last, Math.max(0, to ?? model.get("step") + 1));
    if (next !== model.get("step")) keep("step", next);
  };
  const play = player(autoplay, go, () => model.get("step") === last);
  const by = (to) => () => { play?.stop(); go(to()); };
  const first = button("first", "first step", by(() => 0)), back = button("back", "previous step", by(() => model.get("step") - 1));
  const next = button("next", "next step", by(() => model.get("step") + 1), "next"), end = button("last", "last step", by(() => last));
  const range = node("input", { type: "range", id, min: 0, max: last, step: 1, oninput: by(() => Number(range.value)) });
  const count = node("label", { for: id, class: "dlw-count" });
  // All steps lie in one place, so that it is as high as the highest of them and nothing jumps; one is visible.
  const pages = steps.map((step) => node("div", { class: "dlw-step" },
    node("p", { class: "dlw-caption" }, step.caption), step.formula ? node("p", { class: "dlw-formula" }, step.formula) : null,
    node("div", { class: "dlw-grids" }, ...step.grids.map((grid) => table(grid, pictures)))));
  content.append(node("div", { class: "dlw-steps" }, first.element, back.element, next.element, end.element,
    play?.element ?? null, range, count), node("div", { class: "dlw-pages" }, ...pages));
  const draw = () => {
    const at = Math.min(last, Math.max(0, Math.round(model.get("step"))));
    range.value = at;
    range.setAttribute("aria-valuetext", `step ${at + 1} of ${last + 1}`);
    range.style.setProperty("--dlw-part", last ? `${(100 * at) / last}%` : "0%");
    count.textContent = `step ${at + 1} of ${last + 1}`;
    [first, back].forEach((b) => b.enable(at > 0));
    [next, end].forEach((b) => b.enable(at < last));
    pages.forEach((page, number) => page.classList.toggle("dlw-shown", number === at));
    say(steps[at].caption);
  };
  draw();
  const stop = listen(model, ["change:step"], draw);
  return () => { play?.stop(); stop(); };
}

export default { render };

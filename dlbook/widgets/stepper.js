// A computation, step by step: tables of numbers, the cells that matter marked by frame and weight, not by colour alone.
import { button, frame, identity, keeper, listen, node } from "./controls.js";

function table(grid) {
  const marked = new Set(grid.highlight.map(([r, c]) => `${r},${c}`));
  const cell = (text, r, c) => marked.has(`${r},${c}`)
    ? node("td", { class: "dlw-marked" }, text, node("span", { class: "dlw-hidden" }, " (marked)"))
    : node("td", {}, text);
  const head = grid.columns ? node("thead", {}, node("tr", {}, grid.rows ? node("td") : null,
    ...grid.columns.map((name) => node("th", { scope: "col" }, name)))) : null;
  const body = grid.cells.map((row, r) => node("tr", {}, grid.rows ? node("th", { scope: "row" }, grid.rows[r]) : null,
    ...row.map((text, c) => cell(text, r, c))));
  const made = node("table", {}, node("caption", {}, grid.name), head, node("tbody", {}, ...body));
  return node("div", { class: "dlw-scroll", tabindex: "0", role: "region", "aria-label": grid.name }, made);
}

// Play and pause; only where the author asked for it and the reader's system does not ask for less motion.
function player(seconds, go, atEnd) {
  if (!seconds || matchMedia("(prefers-reduced-motion: reduce)").matches) return null;
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
  const { steps, autoplay } = model.get("spec");
  const { content } = frame(model, el, "stepper");
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
  const caption = node("p", { class: "dlw-caption", "aria-live": "polite" });
  const formula = node("p", { class: "dlw-formula" }), grids = node("div", { class: "dlw-grids" });
  content.append(node("div", { class: "dlw-steps" }, first.element, back.element, next.element, end.element,
    play?.element ?? null, range, count), caption, formula, grids);
  const draw = () => {
    const at = model.get("step"), step = steps[at];
    range.value = at;
    range.setAttribute("aria-valuetext", `step ${at + 1} of ${last + 1}`);
    range.style.setProperty("--dlw-part", last ? `${(100 * at) / last}%` : "0%");
    count.textContent = `step ${at + 1} of ${last + 1}`;
    [first, back].forEach((b) => b.enable(at > 0));
    [next, end].forEach((b) => b.enable(at < last));
    caption.textContent = step.caption;
    formula.textContent = step.formula;
    formula.hidden = !step.formula;
    grids.replaceChildren(...step.grids.map(table));
  };
  draw();
  const stop = listen(model, ["change:step"], draw);
  return () => { play?.stop(); stop(); };
}

export default { render };

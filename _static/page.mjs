// Formulas wider than their line scroll by themselves, so that the page never does; the keyboard reaches them.
const reach = (element, wide) => (wide ? element.setAttribute("tabindex", "0") : element.removeAttribute("tabindex"));

const ready = window.MathJax?.startup?.promise ?? Promise.resolve();
const measure = () => {
  for (const formula of document.querySelectorAll("span.math")) {
    formula.classList.remove("wide");
    const line = formula.parentElement.getBoundingClientRect();
    const box = formula.getBoundingClientRect();
    const wide = box.width > line.width + 1;
    formula.classList.toggle("wide", wide);
    reach(formula, wide);
  }
  for (const formula of document.querySelectorAll("div.math, mjx-container[display]")) reach(formula, formula.scrollWidth > formula.clientWidth);
};
const start = async () => {
  await ready;
  await window.MathJax?.startup?.promise;
  measure();
  window.addEventListener("resize", measure);
};
if (document.readyState === "complete") start();
else window.addEventListener("load", start);

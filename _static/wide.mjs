// Formulas, tables and the map, where wider than their line, scroll by themselves, so that the page never does. Their
// edge fades where there is more (data-more), and the keyboard reaches them. A deferred script, not a module: browsers refuse modules
// on a page that was opened as a file. Its ending keeps Jupyter Book from adding it to the pages a second time.
(() => {
  const BLOCKS = 'mjx-container[display="true"], .pst-scrollable-table-container, div.cell_output > .output, .dlbook-map, .predictions-wide';
  const inline = document.querySelectorAll("span.math");

  const seen = (element) => {
    const hidden = element.scrollWidth - element.clientWidth;
    const before = element.scrollLeft > 1 ? "left" : "", after = element.scrollLeft < hidden - 1 ? "right" : "";
    return [element, hidden > 1, hidden > 1 ? `${before} ${after}`.trim() : ""];
  };
  const write = ([element, scrolls, more]) => {
    if (element.dataset.more !== more) element.dataset.more = more;
    if (!element.closest(".math")) return;  // the theme lets the keyboard reach tables and code
    if (scrolls) element.setAttribute("tabindex", "0");
    else element.removeAttribute("tabindex");
  };

  const measure = () => {
    for (const formula of inline) formula.classList.remove("wide");
    const wide = [...inline].filter((formula) => {
      const line = formula.parentElement.closest(":not(.with-mark)").getBoundingClientRect();
      return formula.getBoundingClientRect().width > line.width + 1;
    });
    for (const formula of inline) formula.removeAttribute("tabindex");
    for (const formula of wide) formula.classList.add("wide");
    [...document.querySelectorAll(BLOCKS), ...wide].map(seen).forEach(write);  // first all reading: each would wait for what was written
  };

  let asked = 0;
  const ask = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(measure);
  };
  document.addEventListener("scroll", ({ target }) => { if (target.matches?.(`${BLOCKS}, span.math`)) write(seen(target)); }, { passive: true, capture: true });
  new ResizeObserver(ask).observe(document.querySelector("article") ?? document.body);  // also when a fold opens
  document.fonts.ready.then(ask);
})();

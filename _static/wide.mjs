// Formulas, tables and the map, where wider than their line, scroll by themselves, so that the page never does. Their edge fades where
// there is more (data-more), and the keyboard reaches them. A deferred script, not a module: browsers refuse modules
// on a page that was opened as a file. Its ending keeps Jupyter Book from adding it to the pages a second time.
(() => {
  const BLOCKS = 'mjx-container[display="true"], .pst-scrollable-table-container, div.cell_output > .output, .dlbook-map';
  const blocks = document.querySelectorAll(BLOCKS);
  const inline = document.querySelectorAll("span.math");

  const mark = (element) => {
    const hidden = element.scrollWidth - element.clientWidth;
    const before = element.scrollLeft > 1 ? "left" : "";
    const after = element.scrollLeft < hidden - 1 ? "right" : "";
    element.dataset.more = hidden > 1 ? `${before} ${after}`.trim() : "";
    if (!element.closest(".math")) return;  // the theme lets the keyboard reach tables and code
    if (hidden > 1) element.setAttribute("tabindex", "0");
    else element.removeAttribute("tabindex");
  };

  const measure = () => {
    for (const formula of inline) formula.classList.remove("wide");
    const wide = [...inline].filter((formula) => {
      const line = formula.parentElement.getBoundingClientRect();
      return formula.getBoundingClientRect().width > line.width + 1;
    });
    for (const formula of inline) formula.removeAttribute("tabindex");
    for (const formula of wide) formula.classList.add("wide");
    [...blocks, ...wide].forEach(mark);
  };

  let asked = 0;
  const ask = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(measure);
  };
  for (const element of [...blocks, ...inline]) element.addEventListener("scroll", () => mark(element), { passive: true });
  new ResizeObserver(ask).observe(document.querySelector("article") ?? document.body);  // also when a fold opens
  document.fonts.ready.then(ask);
})();

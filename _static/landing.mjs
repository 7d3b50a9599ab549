// Keeps the reader's place while the page is still changing: figures start, fonts arrive, answers fold. The place is
// what the address names (#...), or, after a reload and on the way back, where the reader was. It is let go when the
// reader moves on. A deferred script, as wide.mjs is.
(() => {
  const KEY = `place ${location.pathname}`;
  const PAGE = new RegExp(`^fig-(${location.pathname.split("/").pop().replace(".html", "")}|[^-]+)-`);  // as figure_state.mjs shortens a figure's name
  const page = document.querySelector("article") ?? document.body;
  const paragraphs = () => [...page.querySelectorAll("section > *:not(.dropdown *)")];  // no part of a figure, and none of what folds
  const above = (element) => element.getBoundingClientRect().top;
  let place = null;  // {element, top}: how far below the upper edge of the window it belongs
  let [height, reached, loaded] = [0, 0, Infinity];

  const land = () => {
    height = page.offsetHeight;
    if (!place) return;
    scrollBy({ top: above(place.element) - place.top, behavior: "instant" });
    reached = above(place.element);  // near the end of the page it cannot get as high as it belongs
  };
  const named = () => {
    const figure = new URLSearchParams(location.hash.slice(1)).get("fig");  // the address sets a figure: figure_state.mjs
    const isIt = ({ id }) => id === figure || id.replace(PAGE, "") === figure;
    return figure ? [...document.querySelectorAll("figure[id]")].find(isIt) : document.getElementById(decodeURIComponent(location.hash.slice(1)));
  };
  const unfold = (element) => {
    element.parentElement.closest(".toggle-hidden")?.querySelector(":scope > .toggle-button")?.click();
    for (let fold; (fold = element.parentElement.closest("details:not([open])"));) fold.open = true;
  };
  const aim = () => {
    const element = named();
    if (!element) return;
    unfold(element);
    const margin = parseFloat(getComputedStyle(element).scrollMarginTop);
    place = { element, top: margin + (parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0) };
    land();
  };
  const restore = () => {
    const target = named();
    if (target && !target.checkVisibility()) unfold(target);  // a browser that reloads does not open what is folded
    const { index, top } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const element = paragraphs()[index];
    if (element) {
      history.scrollRestoration = "manual";  // on a slow machine the browser's own try comes late, and looks like a reader's
      place = { element, top };
    }
    land();
  };
  const letGo = () => { place = null; };

  for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) addEventListener(event, letGo, { passive: true, capture: true });
  addEventListener("scroll", () => {
    if (!place || page.offsetHeight !== height || Math.abs(above(place.element) - reached) <= 2) return;
    if (performance.now() > loaded + 1000) letGo();  // by the scroll bar, by a screen reader
    else land();  // the browser's own tries, while it loads
  }, { passive: true });
  addEventListener("load", () => { loaded = performance.now(); });
  addEventListener("hashchange", () => { if (!location.hash.startsWith("#fig=")) aim(); });
  addEventListener("pagehide", () => {
    const all = paragraphs();
    const index = all.findLastIndex((element) => element.getClientRects().length && above(element) <= innerHeight / 3);
    if (index < 0 || !scrollY) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify({ index, top: above(all[index]) }));
  });
  new ResizeObserver(land).observe(page);
  if (performance.getEntriesByType("navigation")[0]?.type === "navigate") aim();
  else restore();
})();

// A citation says what it cites where it stands: pointing at it, reaching it by keyboard, or a first tap shows a card with
// authors, title, year and a link to the work. The words are those of the link's `title`, which stays what a page without
// scripts shows. The card can be pointed at itself, and Escape puts it away. A deferred script, as wide.mjs is.
(() => {
  const WAIT = 250;  // ms: a pointer that only passes by shows nothing, and one that leaves may come back
  const WORK = /\b(?:arXiv:([\w.\/-]*\w)|doi:(\S*\w))/;
  const card = Object.assign(document.createElement("span"), { className: "citation-card", id: "citation-card", hidden: true });
  const cites = [...document.querySelectorAll('article a[href*="bibliography.html#"][title]')];
  let shown = null, timer = 0;

  const later = (action) => { clearTimeout(timer); timer = setTimeout(action, WAIT); };

  function fill(text) {
    const found = text.match(WORK);
    card.replaceChildren(found ? text.slice(0, found.index) : text);
    if (!found) return;
    const href = found[1] ? `https://arxiv.org/abs/${found[1]}` : `https://doi.org/${found[2]}`;
    card.append(Object.assign(document.createElement("a"), { href, textContent: found[0] }));
  }

  function show(link) {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    shown = link;
    fill(link.dataset.work);
    link.after(card);
    link.setAttribute("aria-describedby", card.id);
    card.hidden = false;
    const at = link.getClientRects()[0], size = card.getBoundingClientRect();
    const below = at.bottom + size.height + 8 < innerHeight;
    card.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8))}px`;
    card.style.top = `${below ? at.bottom + 4 : at.top - size.height - 4}px`;
  }

  function hide() {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    card.hidden = true;
  }

  const inside = (element) => element && (card.contains(element) || element === shown);
  for (const link of cites) {
    link.dataset.work = link.title;
    link.removeAttribute("title");
    link.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") later(() => show(link)); });
    link.addEventListener("pointerleave", () => later(hide));
    link.addEventListener("focus", () => { if (link.matches(":focus-visible")) show(link); });
    link.addEventListener("focusout", (event) => { if (!inside(event.relatedTarget)) hide(); });
    link.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || shown === link) return;
      event.preventDefault();
      show(link);
    });
  }
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", () => later(hide));
  card.addEventListener("focusout", (event) => { if (!inside(event.relatedTarget)) hide(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("pointerdown", (event) => { if (!inside(event.target)) hide(); });
  addEventListener("scroll", hide, { passive: true });
})();

// What stands behind a word is said beside it: pointing at it, reaching it by keyboard, or a first tap shows a card.
// Behind a citation stands the work, behind a term its definition (the words of the link's `title`, which a page without
// scripts shows), behind a number of the prose its rows in the ledger, or where it was computed. The card can be pointed at itself, Escape puts it away, and a second tap follows
// the link. A deferred script, as wide.mjs is.
(() => {
  const WAIT = 250;  // ms: a pointer that only passes by shows nothing, and one that leaves may come back
  const WORK = /\b(?:arXiv:([\w.\/-]*\w)|doi:(\S*\w))/;
  const MOST = 3;  // rows on one card
  const SCROLLS = ".pst-scrollable-table-container";
  const COLUMNS = ["predicted", "measured", "margin", "source"];
  const made = (name, className, ...inside) => {
    const element = Object.assign(document.createElement(name), { className });
    element.append(...inside);
    return element;
  };
  const card = Object.assign(made("span", "hover-card"), { id: "hover-card", hidden: true });
  let shown = null, timer = 0;  // shown: {link, area}

  const later = (action) => { clearTimeout(timer); timer = setTimeout(action, WAIT); };

  // Authors, title, year, and a link to the work itself.
  function work(link) {
    const text = link.dataset.work, found = text.match(WORK);
    if (!found) return [text];
    const href = found[1] ? `https://arxiv.org/abs/${found[1]}` : `https://doi.org/${found[2]}`;
    return [text.slice(0, found.index), Object.assign(made("a", "", found[0]), { href })];
  }

  function definition(link) {
    const [, term, words] = link.dataset.definition.match(/^(.*?): ([\s\S]*)$/);
    return [made("b", "", term), ` ${words}`];
  }

  // One row of the ledger: what was predicted, measured, by which margin, and where it comes from.
  function row(place) {
    const [head, ...cells] = document.getElementById(place).cells;
    const name = head.cloneNode(true);
    name.querySelector(".ledger-number")?.remove();
    const quoted = cells[4].textContent.startsWith("reported");
    const parts = COLUMNS.flatMap((label, i) => cells[i].textContent.trim() === "" ? [] : [
      made("span", "card-label", quoted && label === "measured" ? "reported" : label),
      made("span", "", ...[...cells[i].cloneNode(true).childNodes])]);
    return made("span", "card-row", made("span", "card-title", name.textContent.trim()), ...parts,
      made("span", "card-all card-label", cells[4].textContent));
  }

  function rows(link) {
    const places = link.dataset.rows.split(" "), more = places.length - MOST;
    const parts = places.slice(0, MOST).map(row);
    if (more > 0) parts.push(made("span", "card-row", made("span", "card-all", `and ${more} more in the ledger`)));
    return parts;
  }

  const computed = () => [made("b", "", "Computed here, not predicted."), " A cell of this chapter computes it in each run. It has no row in the ledger. The mark leads to the cell."];

  function show(link, area, fill) {
    clearTimeout(timer);
    if (shown?.link === link) return;
    hide();
    shown = { link, area };
    card.replaceChildren(...fill(link));
    area.after(card);
    card.closest(SCROLLS)?.classList.add("has-card");
    link.setAttribute("aria-describedby", card.id);
    card.hidden = false;
    Object.assign(card.style, { left: "0", maxHeight: "" });  // its size, with all the room there is
    const lines = area.getClientRects(), first = lines[0], last = lines[lines.length - 1];
    const size = card.getBoundingClientRect(), above = first.top - 12, under = innerHeight - last.bottom - 12;
    const below = size.height <= under || under >= above;
    const height = Math.min(size.height, Math.max(above, under));  // what is longer scrolls: it never lies on its mark
    card.style.maxHeight = `${height}px`;
    card.style.left = `${Math.max(8, Math.min(first.left, document.documentElement.clientWidth - size.width - 8))}px`;
    card.style.top = `${below ? last.bottom + 4 : first.top - height - 4}px`;
  }

  function hide() {
    clearTimeout(timer);
    shown?.link.removeAttribute("aria-describedby");
    shown = null;
    card.closest(SCROLLS)?.classList.remove("has-card");
    card.hidden = true;
  }

  const inside = (element) => element && (card.contains(element) || shown?.area.contains(element));

  // area: what the pointer has to be on, the link and the words before it. wanted: whether there is something to add.
  function attach(link, fill, area = link, wanted = () => true) {
    area.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch" && wanted(link)) later(() => show(link, area, fill)); });
    area.addEventListener("pointerleave", () => later(hide));
    link.addEventListener("focus", () => { if (link.matches(":focus-visible") && wanted(link)) show(link, area, fill); });
    link.addEventListener("focusout", (event) => { if (!inside(event.relatedTarget)) hide(); });
    let by = "";  // what pressed: not every browser says it with the click
    area.addEventListener("pointerdown", ({ pointerType }) => { by = pointerType; });
    area.addEventListener("click", (event) => {
      const pressed = event.pointerType ?? by;
      by = "";  // a later press of Enter is no touch
      if (pressed !== "touch" || shown?.link === link || !wanted(link)) return;
      event.preventDefault();
      show(link, area, fill);
    });
  }

  for (const link of document.querySelectorAll('article a[href*="bibliography.html#"][title]')) {
    link.dataset.work = link.title;
    link.removeAttribute("title");
    attach(link, work);
  }
  // A term whose definition stands beside it in the margin needs no card.
  const beside = (link) => link.hash && link.pathname === location.pathname && document.getElementById(link.hash.slice(1))?.checkVisibility();
  for (const link of document.querySelectorAll("article a.term[title]")) {
    link.dataset.definition = link.title;
    link.removeAttribute("title");
    attach(link, definition, link, (link) => !beside(link));
  }
  for (const link of document.querySelectorAll("a.ledger-badge")) attach(link, rows, link.parentElement);
  for (const link of document.querySelectorAll("a.computed-badge")) {
    attach(link, computed, link.parentElement);
    link.addEventListener("click", (event) => {  // its code is seen at once; a tap that shows the card goes nowhere
      if (!event.defaultPrevented) document.getElementById(link.hash.slice(1)).querySelector(":scope > details.fold")?.setAttribute("open", "");
    });
  }
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", () => later(hide));
  card.addEventListener("focusout", (event) => { if (!inside(event.relatedTarget)) hide(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("pointerdown", (event) => { if (!inside(event.target)) hide(); });
  addEventListener("scroll", (event) => { if (!card.contains(event.target) && !card.contains(document.activeElement)) hide(); }, { passive: true });
})();

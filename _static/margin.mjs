// Definitions stand in the margin of a wide page, each beside its paragraph. One that would lie over a wide figure, or far
// below its paragraph because others stand above it, leaves the margin: its term has a card then (cards.mjs). A deferred
// script, as wide.mjs is.
(() => {
  const FAR = 160;  // pixels below the paragraph
  const notes = [...document.querySelectorAll("article .term-note")];
  const article = document.querySelector("article");

  function fit() {
    for (const note of notes) note.classList.remove("crowded");
    if (getComputedStyle(notes[0]).float !== "right") return;  // a narrow page has no margin
    const wide = [...article.querySelectorAll(".dlbook-widget, .dlbook-still")].map((figure) => figure.getBoundingClientRect());
    for (const note of notes) {
      const at = note.getBoundingClientRect();
      let paragraph = note.nextElementSibling;
      while (paragraph?.classList.contains("term-note")) paragraph = paragraph.nextElementSibling;
      const covered = wide.some((figure) => figure.top < at.bottom && figure.bottom > at.top && figure.right > at.left);
      const far = paragraph && at.top > paragraph.getBoundingClientRect().bottom + FAR;
      note.classList.toggle("crowded", covered || Boolean(far));
    }
  }

  if (notes.length) new ResizeObserver(() => requestAnimationFrame(fit)).observe(article);
})();

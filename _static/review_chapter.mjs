// Which chapters a reader reviews: the button below a chapter's cards, and for the page of the review the same in one place.
// A chapter counts as read when its reader says so; scrolling is not reading. A deferred script, as wide.mjs is.
window.dlbookReview = (() => {
  const KEY = "dlbook-review";
  const kept = window.dlbookKept;
  const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

  // The day of the reader's own clock, as 2026-11-28.
  const day = (date = new Date()) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
  const inWords = (text) => new Date(`${text}T12:00`).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

  const read = () => { const found = kept.read(KEY); return { chapters: object(found.chapters), cards: object(found.cards), begun: object(found.begun) }; };
  const write = (state) => {
    const lasts = kept.write(KEY, state);
    document.dispatchEvent(new Event("dlbook:read"));
    return lasts;
  };

  // Add or take out a chapter; what is known of its cards stays.
  const choose = (page, chosen) => {
    const state = read();
    if (chosen) state.chapters[page] = day();
    else delete state.chapters[page];
    return write(state);
  };

  for (const group of document.querySelectorAll("div.review-cards")) {
    const page = group.dataset.page, [button, told] = ["button", "[role=status]"].map((part) => group.querySelector(`.review-add ${part}`));
    const words = button.textContent;
    const show = (lasts = true, say = false) => {
      const since = read().chapters[page];
      button.textContent = since ? "Take them out of my review" : words;
      group.classList.toggle("is-chosen", Boolean(since));
      const note = !since ? (say ? "Taken out." : "") : `In your review since ${inWords(since)}.${lasts ? "" : " This browser keeps it as long as the page is open."}`;
      told.textContent = note;
    };
    button.addEventListener("click", () => show(choose(page, !read().chapters[page]), true));
    show();
  }
  return { KEY, read, write, choose, day, inWords };
})();

// The filter above the tables of every claim, which are folded by chapter; it opens what it finds. A deferred script, as
// wide.mjs is.
(() => {
  const sections = [...document.querySelectorAll('section[id^="claims-"]')];
  const folds = [...document.querySelectorAll(".claims-chapter")];
  const opened = new Set();  // by the filter, not by the reader
  // One entry of the list: a row, and the folded rows that it stands for.
  const entries = folds.flatMap((fold) => {
    const rows = [...fold.querySelector("table").tBodies[0].rows];
    const kind = fold.closest("section").querySelector("h2, h3").firstChild.textContent.trim();
    const chapter = fold.querySelector(".fold-label").textContent.trim();
    return rows.filter((row) => !row.classList.contains("claims-all")).map((row) => {
      const all = row.nextElementSibling?.classList.contains("claims-all") ? [row.nextElementSibling] : [];
      return { fold, rows: [row, ...all], kind, chapter, text: [row, ...all].map((part) => part.textContent).join(" ").toLowerCase() };
    });
  });

  const labelled = (words, control) => {
    const label = document.createElement("label");
    label.append(words, control);
    return { label, control };
  };
  const choice = (label, key) => {
    const select = document.createElement("select");
    const values = [...new Set(entries.map((entry) => entry[key]))];
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    return labelled(label, select);
  };

  if (entries.length) {
    const search = labelled("Words", Object.assign(document.createElement("input"), { type: "search" }));
    const kind = choice("Kind", "kind");
    const chapter = choice("Chapter", "chapter");
    const count = Object.assign(document.createElement("output"), { className: "claims-count" });
    const form = Object.assign(document.createElement("form"), { className: "claims-filter" });
    form.append(kind.label, chapter.label, search.label, count);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      const words = search.control.value.trim().toLowerCase();
      const fits = (entry) => (!kind.control.value || entry.kind === kind.control.value)
        && (!chapter.control.value || entry.chapter === chapter.control.value) && entry.text.includes(words);
      const shown = new Set(entries.filter(fits));
      for (const entry of entries) for (const row of entry.rows) row.hidden = !shown.has(entry);
      const found = new Set([...shown].map((entry) => entry.fold)), narrowed = Boolean(words || chapter.control.value);
      for (const fold of folds) {
        fold.hidden = !found.has(fold);
        if (narrowed && !fold.open && !fold.hidden) opened.add(fold);
        if (opened.has(fold)) fold.open = narrowed;
      }
      if (!narrowed) opened.clear();
      for (const section of sections) section.hidden = !folds.some((fold) => !fold.hidden && section.contains(fold));
      count.value = `${shown.size} of ${entries.length} shown`;
    });
    sections[0].before(form);
  }
})();

// The filter above the table of every claim. Without it the table is whole. A deferred script, as wide.mjs is.
(() => {
  const table = document.querySelector("table.dlbook-claims");
  const rows = [...(table?.tBodies[0]?.rows ?? [])];
  const text = (row, column) => row.cells[column].textContent.trim();
  const [STATUS, CHAPTER] = [5, 6];

  const choice = (label, column) => {
    const select = document.createElement("select");
    const values = [...new Set(rows.map((row) => text(row, column)))];
    select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    return labelled(label, select);
  };

  const labelled = (words, control) => {
    const label = document.createElement("label");
    label.append(words, control);
    return { label, control };
  };

  if (rows.length) {
    const search = labelled("Words", Object.assign(document.createElement("input"), { type: "search" }));
    const status = choice("Status", STATUS);
    const chapter = choice("Chapter", CHAPTER);
    const count = Object.assign(document.createElement("output"), { className: "claims-count" });
    const form = Object.assign(document.createElement("form"), { className: "claims-filter" });
    form.append(status.label, chapter.label, search.label, count);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      const words = search.control.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = (!status.control.value || text(row, STATUS) === status.control.value)
          && (!chapter.control.value || text(row, CHAPTER) === chapter.control.value)
          && row.textContent.toLowerCase().includes(words);
        row.hidden = !fits;
        shown += fits;
      }
      count.value = `${shown} of ${rows.length} shown`;
    });
    (table.closest(".pst-scrollable-table-container") ?? table).before(form);
  }
})();

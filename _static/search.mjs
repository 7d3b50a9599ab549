// Looks through the index of the book's prose (search-index.js). All words have to be there; the title of a page counts
// more than a heading, a heading more than the text, a whole word more than a part; a term's definition comes before what
// only has the word in its heading. A deferred script, as wide.mjs is.
(() => {
  const form = document.querySelector(".search-form");
  const [field, count, list] = [form.q, document.querySelector(".search-count"), document.querySelector(".search-results")];
  const MOST = 40;
  const plain = (text) => [...text].map((c) => (c.toLowerCase().normalize("NFD")[0] ?? c)).join("");  // as long as the text
  const pages = (window.dlbookSearch ?? []).map(([page, place, title, heading, text, ...terms]) => (
    { page, place, title, heading, text, found: [title, heading, text].map(plain), terms: terms.map(plain) }));
  const escape = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const whole = (word) => new RegExp(`(?<![\\p{L}\\p{N}])${escape(word)}(?![\\p{L}\\p{N}])`, "gu");

  const points = (entry, words) => {
    const [title, heading, text] = entry.found;
    let [sum, here] = [0, 0];
    for (const word of words) {
      const of = (where, entire, part) => (whole(word).test(where) ? entire : where.includes(word) ? part : 0);
      const own = of(heading, 60, 25) * (entry.place ? 1 : 2);
      const within = of(text, 10, 3) && of(text, 10, 3) + Math.min(5, text.match(whole(word))?.length ?? 0);
      const page = of(title, 4, 2);
      if (!own && !within && !page) return 0;
      here += own + within;
      sum += own + within + page;
    }
    const phrase = words.join(" ");
    if (words.length > 1) sum += heading.includes(phrase) ? 100 : text.includes(phrase) ? 25 : 0;
    if (entry.terms.includes(phrase)) sum += 100;
    if (/bibliography[.]html$/.test(entry.page)) sum /= 20;  // a list of titles is what was meant last
    if (/^api[/]|[/](api|glossary|command|configuration)[.]html$/.test(entry.page)) sum /= 6;  // what explains a name comes before what documents it
    if (/[A-Z_]/.test(field.value) && entry.heading === field.value.trim()) sum += 50;  // typed as code writes it
    return here ? sum : 0;
  };

  const excerpt = (entry, words) => {
    const text = entry.found[2], phrase = words.join(" ");
    const at = [phrase, ...words].map((word) => text.search(whole(word))).concat(words.map((word) => text.indexOf(word))).find((i) => i >= 0) ?? 0;
    const start = at < 70 ? 0 : text.indexOf(" ", at - 70) + 1;
    const end = text.length - start < 240 ? text.length : text.lastIndexOf(" ", start + 240);
    const line = document.createElement("p");
    const parts = new RegExp(words.map(escape).join("|"), "gu");
    let last = start;
    line.append(start ? "… " : "");
    for (const match of text.slice(start, end).matchAll(parts)) {
      line.append(entry.text.slice(last, start + match.index));
      last = start + match.index + match[0].length;
      line.append(Object.assign(document.createElement("mark"), { textContent: entry.text.slice(start + match.index, last) }));
    }
    line.append(entry.text.slice(last, end), end < text.length ? " …" : "");
    return line;
  };

  const item = (entry, words) => {
    const row = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: entry.page + (entry.place && `#${entry.place}`), textContent: entry.heading });
    if (entry.place) row.append(Object.assign(document.createElement("span"), { className: "search-where", textContent: entry.title }));
    row.append(link, excerpt(entry, words));
    return row;
  };

  const show = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    const found = words.length ? pages.map((entry) => [points(entry, words), entry]).filter(([sum]) => sum).sort(([a], [b]) => b - a) : [];
    count.value = !words.length ? "" : !found.length ? "Nothing has all these words." : `${found.length} section${found.length > 1 ? "s" : ""}${found.length > MOST ? `, the first ${MOST} shown` : ""}`;
    list.replaceChildren(...found.slice(0, MOST).map(([, entry]) => item(entry, words)));
  };

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => {
    history.replaceState(null, "", field.value ? `?q=${encodeURIComponent(field.value)}` : location.pathname);
    show();
  });
  show();
  field.focus();
})();

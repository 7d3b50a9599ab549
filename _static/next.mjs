// What one can read next: the chapters that one has not read and whose needs one has all read. In words, and on the map.
// Nothing is hidden, and nothing leaves the browser. A deferred script, as wide.mjs is; without it the places stay empty.
(() => {
  const SHOWN = 4;
  const chapters = window.dlbookChapters ?? {};
  const root = document.documentElement.dataset.content_root ?? "./";
  const make = (kind, ...inside) => {
    const made = document.createElement(kind);
    made.append(...inside);
    return made;
  };
  const map = [...document.querySelectorAll(".dlbook-map a[data-page]")].map((box) => ({ box, hours: box.querySelector(".hours"), words: box.querySelector(".hours").textContent }));

  const link = (page) => {
    const [title, hours] = chapters[page];
    return make("li", Object.assign(make("a", title), { href: `${root}${page}.html` }), ` · ${hours}`);
  };
  const places = [...document.querySelectorAll(".dlbook-next")], begins = new Map(places.map((place) => [place, [...place.childNodes]]));  // what it says before anything is read

  // The chapters that stand open; those that build on `here` first, else in the book's order.
  const open = (read, here) => {
    const found = Object.keys(chapters).filter((page) => !read.has(page) && chapters[page][2].every((need) => read.has(need)));
    return here ? found.sort((a, b) => chapters[b][2].includes(here) - chapters[a][2].includes(here)) : found;
  };
  const sentence = (read, next, here) => {
    const all = Object.keys(chapters).length;
    if (read.size === all) return "You have read every chapter that stands.";
    if (!next.length) return `You have read ${read.size} of ${all} chapters.`;  // the others need each other
    return here ? "Next you can read:" : `You have read ${read.size} of ${all} chapters. Of the others, you have read all that ${next.length === 1 ? "this one needs" : "these need"}:`;
  };

  function fill(place, read) {
    const here = place.dataset.page, speaks = here ? read.has(here) : read.size;
    if (!speaks) return place.replaceChildren(...begins.get(place));
    const next = open(read, here), more = next.length - SHOWN;
    const parts = [make("p", sentence(read, next, here))];
    if (next.length) parts.push(make("ul", ...next.slice(0, SHOWN).map(link)));
    if (more > 0) parts.at(-1).append(make("li", `${more} more on `, Object.assign(make("a", "the map"), { href: `${root}chapters/front/ways.html` })));
    place.replaceChildren(...parts);
  }

  function mark(read) {
    const next = new Set(open(read));
    for (const { box, hours, words } of map) {
      const state = read.has(box.dataset.page) ? "read" : next.has(box.dataset.page) && read.size ? "next" : "";
      box.dataset.state = state;
      hours.textContent = state ? `${words} · ${state}` : words;
    }
  }

  // The arrows of the box that is pointed at or has the focus stand out.
  const arrows = [...document.querySelectorAll(".dlbook-map .arrows path")];
  const tell = (page) => { for (const path of arrows) path.classList.toggle("own", [path.dataset.from, path.dataset.to].includes(page)); };
  for (const { box } of map) {
    for (const kind of ["pointerenter", "focus"]) box.addEventListener(kind, () => tell(box.dataset.page));
    for (const kind of ["pointerleave", "blur"]) box.addEventListener(kind, () => tell(document.activeElement?.dataset.page));
  }

  function show() {
    const read = new Set(Object.keys(window.dlbookReview.read().chapters).filter((page) => page in chapters));
    for (const place of places) fill(place, read);
    mark(read);
  }

  document.addEventListener("dlbook:read", show);
  addEventListener("storage", show);  // said in another window
  addEventListener("pageshow", (event) => { if (event.persisted) show(); });
  show();
})();

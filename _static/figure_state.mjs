// What a reader chose in the figures, kept in the address: #fig=explorer&alpha=2&on=ELU sets the figure
// fig-activations-explorer. A link in the text changes what it names and leaves the rest. The figure that was touched
// last stands in the address, all of them in the history's entry: back and reload find them. host.mjs tells of each
// figure before it is drawn. A deferred script, as host.mjs is.
(() => {
  const TRAITS = { on: "visible", at: "cursor" };  // how the address calls them
  const NAMES = { visible: "on", cursor: "at" };
  const TEXTS = ["title", "description"];
  const POINTED = ["cursor", "selected"];  // they follow the mouse: told with the rest, but no reason to write
  const figures = new Map();  // id of the <figure> -> {model, traits, start}
  const kept = history.state?.figures;  // from before a reload; Sphinx's own script then takes the entry's state away
  let last = null, timer;

  const PAGE = location.pathname.split("/").pop().replace(".html", "");  // its name may have hyphens: deep-learning
  const short = (id) => id.replace(new RegExp(`^fig-(${PAGE}|[^-]+)-`), "");
  const idOf = (name) => [...figures.keys()].find((id) => id === name || short(id) === name);
  const simple = (value) => ["string", "number", "boolean"].includes(typeof value)
    || (Array.isArray(value) && value.every((part) => typeof part === "string"));
  const pairs = (text) => [...new URLSearchParams(text.replace(/^#/, ""))];

  // Everything that a figure can be set to: [name, text], one pair for each entry of a list.
  const snapshot = ({ model, traits }) => [...Object.entries(model.get("values") ?? {}),
    ...traits.map((trait) => [NAMES[trait] ?? trait, model.get(trait)])]
    .flatMap(([name, value]) => (Array.isArray(value) ? (value.length ? value : [""]).map((part) => [name, part]) : [[name, String(value)]]));

  const of = (list, name) => list.filter(([other]) => other === name).map(([, text]) => text);
  const overlaid = (below, above) => [...below.filter(([name]) => !of(above, name).length), ...above];

  // Those that are not as the author set them.
  const changed = (figure) => {
    const now = snapshot(figure);
    return now.filter(([name]) => JSON.stringify(of(now, name)) !== JSON.stringify(of(figure.start, name)));
  };

  // A text as the value that a parameter or a trait can have; undefined where it can have no such value.
  const among = (choices, text) => {
    if (typeof choices[0] !== "number") return choices.find((choice) => choice === text);
    const target = parseFloat(text.replace("−", "-"));
    return Number.isFinite(target) ? choices.reduce((best, v) => (Math.abs(v - target) < Math.abs(best - target) ? v : best)) : undefined;
  };
  const like = (value, texts, known) => {
    if (Array.isArray(value)) {
      const parts = texts.filter((text) => (known ?? texts).includes(text) && text);
      return parts.length || texts[0] === "" ? parts : undefined;
    }
    if (typeof value === "boolean") return texts[0] === "true";
    if (typeof value === "string") return texts[0];
    return Number.isFinite(Number(texts[0])) ? Number(texts[0]) : undefined;
  };
  function apply({ model, traits }, wanted) {
    const values = { ...model.get("values") }, next = {}, { parameters = {}, curves, groups } = model.get("spec") ?? {};
    const known = curves?.map?.(({ name }) => name) ?? groups;
    for (const name of new Set(wanted.map(([key]) => key))) {
      const texts = of(wanted, name), trait = TRAITS[name] ?? name;
      if (name in parameters) values[name] = among(parameters[name], texts[0]) ?? values[name];
      else if (traits.includes(trait)) next[trait] = like(model.get(trait), texts, known) ?? model.get(trait);
    }
    model.set({ ...next, values });
  }

  function enter(way, states, address) {
    try { history[way]({ ...history.state, figures: states }, "", address); }
    catch (error) { console.warn("The address cannot be written:", error); }  // a page that was opened as a file
  }
  function write() {
    clearTimeout(timer);
    const states = Object.fromEntries([...figures].map(([id, figure]) => [id, changed(figure)]));
    const hash = last ? `#${new URLSearchParams([["fig", short(last)], ...states[last]])}` : location.href;
    enter("replaceState", { ...history.state?.figures, ...states }, hash);
  }
  const touched = (id) => () => {
    last = id;
    clearTimeout(timer);
    timer = setTimeout(write, 300);
  };

  // Into sight, where it is not; the plot of a high figure, not its controls.
  function reveal(id) {
    const figure = document.getElementById(id), part = figure.querySelector(".dlw-area, canvas") ?? figure;
    const box = part.getBoundingClientRect(), head = 64;
    if (box.top < head || box.bottom > innerHeight) {
      scrollBy({ top: box.height > innerHeight - head ? box.top - head : box.top - (innerHeight - box.height + head) / 2, behavior: "instant" });
    }
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      figure.animate([{ outline: "3px solid currentColor" }, { outline: "3px solid transparent" }], { duration: 900 });
    }
  }

  // A link of the text, or an address that was typed: it changes what it names.
  function follow(hash) {
    const wanted = pairs(hash), id = wanted[0]?.[0] === "fig" && idOf(wanted[0][1]);
    if (!id) return;
    last = id;
    apply(figures.get(id), wanted.slice(1));
    write();
    reveal(id);
  }

  document.addEventListener("dlbook:figure", ({ target, detail: { model, state } }) => {
    const id = target.closest("figure[id]")?.id;
    if (!id || figures.has(id)) return;
    const traits = Object.keys(state).filter((key) => !key.startsWith("_") && !TEXTS.includes(key) && simple(state[key]));
    const figure = { model, traits };
    figure.start = snapshot(figure);
    figures.set(id, figure);
    const here = pairs(location.hash);
    if (here[0]?.[0] === "fig" && idOf(here[0][1]) === id) last = id;
    if (kept) apply(figure, kept[id] ?? []);
    else if (last === id) apply(figure, here.slice(1));
    for (const key of ["values", ...traits]) if (!POINTED.includes(key)) model.on(`change:${key}`, touched(id));
  });
  document.addEventListener("DOMContentLoaded", () => enter("replaceState", kept ?? {}, location.href));
  addEventListener("hashchange", () => {
    const then = history.state?.figures;  // there on the way back, not for an address that was typed
    if (!then) { follow(location.hash); return; }
    for (const [id, figure] of figures) apply(figure, overlaid(figure.start, then[id] ?? []));
    clearTimeout(timer);
  });
  // The link's own address is the figure's place: it leads there without this script too.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-set]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const id = link.hash.slice(1);
    if (!figures.has(id)) return;
    event.preventDefault();
    write();  // so that the way back finds what was before
    enter("pushState", history.state?.figures, `#fig=${short(id)}`);
    follow(`fig=${short(id)}&${link.dataset.set}`);
  });
})();

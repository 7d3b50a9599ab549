// Runs the book's interactive figures (anywidgets) on the static page, from the widget state that myst-nb embeds.
// No kernel, no network. A figure's still picture stands on the page until its live form is ready, and stays if it fails.
// A deferred script, not a module: browsers refuse modules on a page that was opened as a file.
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const models = new Map();
  const modules = new Map();
  const cleanups = new Map();

  const same = (a, b) => a === b || (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b));

  function decoded(buffer) {
    const bytes = buffer.encoding === "hex"
      ? Uint8Array.from(buffer.data.match(/../g) ?? [], (pair) => parseInt(pair, 16))
      : Uint8Array.from(atob(buffer.data), (c) => c.charCodeAt(0));
    return new DataView(bytes.buffer);
  }

  // The part of Backbone's model that anywidgets use. `set` tells listeners; there is no kernel to save to.
  class Model {
    #data;
    #listeners = new Map();

    constructor(saved, manager) {
      this.#data = structuredClone(saved.state);
      for (const buffer of saved.buffers ?? []) {
        const parent = buffer.path.slice(0, -1).reduce((inner, key) => inner[key], this.#data);
        parent[buffer.path.at(-1)] = decoded(buffer);
      }
      this.widget_manager = manager;
    }

    get(key) { return this.#data[key]; }

    set(key, value) {
      const entries = typeof key === "object" ? Object.entries(key) : [[key, value]];
      const changed = entries.filter(([name, next]) => !same(this.#data[name], next));
      changed.forEach(([name, next]) => { this.#data[name] = next; });
      changed.forEach(([name, next]) => this.#tell(`change:${name}`, next));
      if (changed.length) this.#tell("change");
    }

    on(events, listener) {
      for (const event of events.split(/\s+/)) this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }

    off(events, listener) {
      for (const event of events ? events.split(/\s+/) : [...this.#listeners.keys()]) {
        this.#listeners.set(event, listener ? (this.#listeners.get(event) ?? []).filter((known) => known !== listener) : []);
      }
    }

    save_changes() {}
    send() {}

    // One listener's error must not silence the others.
    #tell(event, value) {
      for (const listener of this.#listeners.get(event) ?? []) {
        try { listener(this, value); } catch (error) { reportError(error); }
      }
    }
  }

  function readState(page) {
    const all = {};
    for (const script of page.querySelectorAll(STATE)) Object.assign(all, JSON.parse(script.textContent).state);
    return all;
  }

  function modelOf(id, state) {
    if (!models.has(id)) {
      if (!state[id]) throw new Error(`the page holds no state for the model ${id}`);
      const manager = { get_model: async (other) => modelOf(other.replace(/^IPY_MODEL_/, ""), state).model };
      models.set(id, { model: new Model(state[id], manager), initialized: null });
    }
    return models.get(id);
  }

  // Figures with one module text share one module.
  function widgetOf(text) {
    if (!modules.has(text)) {
      const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      modules.set(text, import(address).finally(() => URL.revokeObjectURL(address)).then(async (module) => {
        const widget = module.default ?? module;
        return typeof widget === "function" ? widget() : widget;
      }));
    }
    return modules.get(text);
  }

  // The theme puts HTML outputs on a light card in the dark; figures bring their own dark colours.
  const BASE = `html[data-theme="dark"] .bd-content.bd-content div.cell_output .text_html:has(> .dlbook-still, > .dlbook-widget) {
    background: none; color: inherit; padding: 0; border-radius: 0; }`;

  function addStyle(text) {
    document.head.append(Object.assign(document.createElement("style"), { textContent: text }));
  }

  // Says what the reader can do: in place of a figure that cannot run here, or below its still picture.
  function note(el, title, sentence) {
    const box = document.createElement("div");
    box.className = "admonition note";
    const heading = Object.assign(document.createElement("p"), { className: "admonition-title", textContent: title });
    const words = Object.assign(document.createElement("p"), { textContent: sentence });
    const links = [["Colab", "colab.research.google.com"], ["Binder", "mybinder.org"]].flatMap(([name, host]) => {
      const found = [...document.querySelectorAll("a[href]")].find((a) => a.hostname === host);
      return found ? [Object.assign(document.createElement("a"), { href: found.href, textContent: `Open in ${name}` })] : [];
    });
    links.forEach((link, i) => words.append(i ? " · " : " ", link));
    box.append(heading, words);
    el.replaceChildren(box);
  }

  // Experimental part of the anywidget interface: asking the kernel. There is none here.
  const experimental = { invoke: () => Promise.reject(new Error("this page has no Python kernel")) };

  async function start(id, state, el) {
    const saved = state[id]?.state;
    const widget = await widgetOf(saved._esm);
    const entry = modelOf(id, state);
    entry.initialized ??= Promise.resolve(widget.initialize?.({ model: entry.model, experimental }));
    await entry.initialized;
    el.dispatchEvent(new CustomEvent("dlbook:figure", { bubbles: true, detail: { model: entry.model, state: saved } }));
    return widget.render?.({ model: entry.model, el, experimental });
  }

  async function show(view, state) {
    const before = view.previousElementSibling;
    const still = before?.classList.contains("dlbook-still") ? before : null;
    const el = Object.assign(document.createElement("div"), { className: "dlbook-widget" });
    el.dataset.widget = "loading";
    view.after(el);
    try {
      const id = JSON.parse(view.textContent).model_id;
      if (!state[id]?.state?._esm) {
        note(el, "This control needs Python", "It runs in a notebook, with a Python kernel behind it.");
        el.dataset.widget = "needs-python";
        return;
      }
      el.style.cssText = still ? "height:0;overflow:hidden" : "";  // has its width, but not yet its place
      cleanups.set(el, await start(id, state, el));
      el.style.cssText = still?.getAttribute("style") ?? "";  // the height that was kept for it
      still?.remove();
      el.dataset.widget = "ready";
    } catch (error) {
      console.warn("An interactive figure could not start:", error);
      el.style.cssText = "";
      still?.removeAttribute("style");
      note(el, "This figure stands still", "It could not start in this browser. It also runs in a notebook.");
      el.dataset.widget = "failed";
    }
  }

  // Ends a figure: its listeners go, its element empties.
  async function stop(el) {
    await cleanups.get(el)?.();
    cleanups.delete(el);
    el.replaceChildren();
  }

  async function startAll(page = document) {
    const views = [...page.querySelectorAll(VIEW)];
    if (!views.length) return;
    let state = {};
    try { state = readState(page); } catch (error) { console.warn("The page's widget state cannot be read:", error); }
    // All style sheets at once: each that comes makes the browser look at every element of the page again.
    addStyle([BASE, ...new Set(Object.values(state).map((model) => model.state?._css ?? ""))].join("\n"));
    for (const view of views) await show(view, state);
  }

  addEventListener("pagehide", (event) => { if (!event.persisted) [...cleanups.keys()].forEach(stop); });
  startAll();
})();

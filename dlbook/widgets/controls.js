// What the figures share: building elements, numbers as text, decoding, and the controls. Part of each figure's module text.

const SVG = "http://www.w3.org/2000/svg";

// An element with attributes and children: node("p", { class: "a" }, "text"). Functions become listeners (onclick: f).
export function node(tag, attributes = {}, ...children) {
  const drawn = ["svg", "path", "line", "g", "text", "circle", "rect", "clipPath", "image"].includes(tag);
  const made = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const identity = () => `dlw-${Math.random().toString(36).slice(2, 10)}`;

// A number as a short text: 0.25, 3e−5, 1200. Three to four digits are what a reader takes in.
export function number(value, digits = 4) {
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(digits - 2).replace(/\.?0+e/, "e").replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

// A value that was read off: three digits, so that those in a column compare.
export function three(value) {
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? number(value) : size >= 100 ? number(value, 3) : value.toPrecision(3).replace("-", "−");
}

// Bytes that Python deflated and wrote in base 64: a Response, for `.arrayBuffer()`, `.json()`.
export function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}

export const inflatedBytes = async (text) => new Uint8Array(await inflated(text).arrayBuffer());

// Red, green and blue of a signed value on a dark ground: blue above zero, red below. stage_still.py has the same.
export const bySign = (value) => (value > 0 ? [98, 180, 255] : [255, 136, 150]);

// Whether the reader's system asks for less motion.
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Inverse of encode.pack: Float64Array of all values; gaps are NaN.
export async function unpack(packed) {
  const plane = await inflatedBytes(packed.data);
  const half = plane.length / 2;
  const values = new Float64Array(half);
  const step = (packed.high - packed.low) / 65534 || 1;
  for (let i = 0, code = 0; i < half; i++) {
    code = (code + plane[i] + 256 * plane[half + i]) & 65535;
    const level = code > 32767 ? code - 65536 : code;
    const value = (level + 32767) * step + packed.low;
    values[i] = level === -32768 ? NaN : packed.log ? 10 ** value : value;
  }
  return values;
}

// Position of the current values in an array over the parameters `names`, last axis fastest.
export function offset(parameters, names, values) {
  return names.reduce((at, name) => at * parameters[name].length + Math.max(0, parameters[name].indexOf(values[name])), 0);
}

export function later(milliseconds, action) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

// Tell Python, at most every tenth of a second: a dragged slider would flood a kernel.
export function keeper(model) {
  const save = later(100, () => model.save_changes());
  return (key, value) => { model.set(key, value); save(); };
}

// The parameters' names as the author ordered them: the page's JSON sorts the keys of an object.
export const ordered = (spec) => spec.order ?? Object.keys(spec.parameters);

export const stateText = (values, names = Object.keys(values)) => names.map((name) => `${name} = ${number(values[name])}`).join(", ");

// On a telephone the picture stays in sight above its controls: one that gets the focus comes out from under it.
const pictureOf = (root) => root.querySelector(".dlw-stage, .dlw-area");
function uncover(root, target) {
  const picture = pictureOf(root);
  const below = picture && picture.compareDocumentPosition(target) === Node.DOCUMENT_POSITION_FOLLOWING;
  if (!below || getComputedStyle(picture).position !== "sticky") return;
  const covered = picture.getBoundingClientRect().bottom + 8 - target.getBoundingClientRect().top;
  if (covered > 0) scrollBy({ top: -covered, behavior: "instant" });
}

// One that fills most of the window does not stay: it would lie on the controls.
function letGo(root) {
  const picture = pictureOf(root);
  picture?.classList.toggle("dlw-tall", picture.offsetHeight > 0.6 * innerHeight);
}

// The frame of a figure: heading, place for the content, a description for screen readers, and a spoken line.
export function frame(model, el, kind) {
  const heading = identity(), about = identity();
  const spoken = node("p", { class: "dlw-hidden", "aria-live": "polite" });
  const content = node("div", { class: "dlw-content" });
  const root = node("div", { class: `dlw dlw-${kind}`, role: "group", "aria-labelledby": heading, "aria-describedby": about },
    node("p", { class: "dlw-title", id: heading }, model.get("title")),
    node("p", { class: "dlw-hidden", id: about }, model.get("description")), content, spoken);
  root.addEventListener("focusin", ({ target }) => uncover(root, target));
  new ResizeObserver(() => letGo(root)).observe(root);
  el.append(root);
  let words = "";
  const say = later(500, () => { spoken.textContent = words; });
  return { root, content, say: (text) => { if (text !== words) { words = text; say(); } } };
}

const signs = { minus: "M3 8H13", plus: "M3 8H13M8 3V13", back: "M10 3 5 8 10 13", next: "M6 3 11 8 6 13",
  up: "M3 10 8 5 13 10", down: "M3 6 8 11 13 6", first: "M12 3 7 8 12 13M4 3V13", last: "M4 3 9 8 4 13M12 3V13", play: "M5 3 12 8 5 13Z", pause: "M5 3V13M11 3V13" };

// A button with a drawn sign; `words` is its name for everybody who does not see the sign.
export function button(sign, words, press, text = "") {
  const path = node("path", { d: signs[sign] });
  const made = node("button", { type: "button", class: "dlw-button", "aria-label": words, title: words, onclick: () => press() },
    text, node("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path));
  return { element: made, sign: (other) => path.setAttribute("d", signs[other]),
    enable: (on) => made.setAttribute("aria-disabled", String(!on)) };
}

// A slider over a list of numbers: range, - and + (JupyterLab keeps the arrow keys for itself), and a box to type in.
export function slider(name, values, change, unit = "") {
  const id = identity(), last = values.length - 1;
  let at = 0;
  const go = (to) => { const next = Math.min(last, Math.max(0, to)); if (next !== at) { show(next); change(values[next]); } };
  const nearest = (target) => values.reduce((best, v, i) => (Math.abs(v - target) < Math.abs(values[best] - target) ? i : best), 0);
  const range = node("input", { type: "range", id, min: 0, max: last, step: 1, oninput: () => go(Number(range.value)) });
  const typed = () => {
    const target = parseFloat(box.value.replace("−", "-").replace(",", "."));
    if (Number.isFinite(target)) go(nearest(target));
    show(at);
  };
  const keys = (event) => {
    const move = { ArrowUp: 1, ArrowDown: -1, PageUp: Math.ceil(last / 10), PageDown: -Math.ceil(last / 10) }[event.key];
    if (move) { event.preventDefault(); go(at + move); }
    if (event.key === "Enter") typed();
  };
  const box = node("input", { type: "text", inputmode: "decimal", class: "dlw-box", "aria-label": `${name}: type a value`,
    autocomplete: "off", onchange: typed, onkeydown: keys });
  const less = button("minus", `less ${name}`, () => go(at - 1)), more = button("plus", `more ${name}`, () => go(at + 1));
  function show(to) {
    at = to;
    range.value = at;
    range.setAttribute("aria-valuetext", number(values[at]) + unit);
    range.style.setProperty("--dlw-part", last ? `${(100 * at) / last}%` : "0%");
    box.value = number(values[at]);
    less.enable(at > 0);
    more.enable(at < last);
  }
  show(0);
  const element = node("div", { class: "dlw-control" }, node("label", { for: id }, name), box,
    node("div", { class: "dlw-track" }, less.element, range, more.element));
  return { element, update: (value) => show(nearest(value)) };
}

// A choice between texts: a row of radio buttons where they are few and short, a menu otherwise.
export function choice(name, values, change) {
  const id = identity();
  if (values.length > 5 || values.join("").length > 36) {
    const menu = node("select", { id, onchange: () => change(menu.value) }, ...values.map((v) => node("option", { value: v }, v)));
    return { element: node("div", { class: "dlw-control dlw-choice" }, node("label", { for: id }, name), menu),
      update: (value) => { menu.value = value; } };
  }
  const radios = values.map((v) => node("input", { type: "radio", name: id, value: v, onchange: () => change(v) }));
  const labels = radios.map((radio, i) => node("label", { class: "dlw-radio" }, radio, node("span", {}, values[i])));
  return { element: node("fieldset", { class: "dlw-control dlw-choice" }, node("legend", {}, name), node("div", {}, ...labels)),
    update: (value) => radios.forEach((radio) => { radio.checked = radio.value === value; }) };
}

// Controls for all parameters of a figure, bound both ways to its `values`. `used` tells whether a parameter moves
// anything that is shown; one that does not is marked.
export function parameterControls(model, keep, used = () => true) {
  const spec = model.get("spec"), { parameters } = spec;
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  const controls = ordered(spec).filter((name) => parameters[name].length > 1).map((name) =>
    [name, (typeof parameters[name][0] === "string" ? choice : slider)(name, parameters[name], set(name))]);
  const update = () => controls.forEach(([name, control]) => {
    control.update(model.get("values")[name]);
    control.element.classList.toggle("dlw-idle", !used(name));
  });
  update();
  return { elements: controls.map(([, control]) => control.element), update };
}

// Listen to the model; the returned function stops listening.
export function listen(model, events, action) {
  events.forEach((event) => model.on(event, action));
  return () => events.forEach((event) => model.off(event, action));
}

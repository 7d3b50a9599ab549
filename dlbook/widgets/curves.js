// Curves over parameters: chips that switch the curves and give their values, panels, a cursor.
import { frame, identity, keeper, listen, node, number, offset, ordered, parameterControls, slider, stateText, three, unpack } from "./controls.js";
import { evenly, tabled } from "./numbers.js";
import { MARGIN, axes, ends, limits, line, marker, markers, scale, swatch } from "./plot.js";

async function decoded(spec) {
  return Promise.all(spec.curves.map(async (curve, index) => ({ ...curve, index,
    all: await unpack(curve.values), slopes: curve.gradient ? await unpack(curve.gradient) : null })));
}

// How wide a name is, in usual letters: m, w and capitals are wider, i, l and the like narrower (reserve.py counts alike).
const breadth = (name) => [...name].reduce((sum, c) => sum + (/[mwMW]/.test(c) ? 1.7 : /[A-Z]/.test(c) ? 1.3 : /[fijlrt ]/.test(c) ? 0.7 : 1), 0);

// The legend above the plot: a chip for each curve, a switch with a sample of its line and the value at the cursor.
function legend(model, curves, keep) {
  const slopes = curves.some((curve) => curve.slopes), longest = Math.max(...curves.map((curve) => breadth(curve.name)));
  const toggle = (name) => {
    const shown = model.get("visible");
    keep("visible", curves.map((c) => c.name).filter((n) => (n === name ? !shown.includes(n) : shown.includes(n))));
  };
  const chips = curves.map((curve) => {
    const value = node("b", { "aria-hidden": "true" }), slope = node("b", { "aria-hidden": "true" });
    const press = node("button", { type: "button", class: `dlw-chip dlw-c${curve.index % 8}`, onclick: () => toggle(curve.name) },
      swatch(curve.index), node("span", {}, curve.name), value, slopes ? node("i", { "aria-hidden": "true" }, dashes(), slope) : null);
    return { curve, press, value, slope };
  });
  const at = node("p", { class: "dlw-at" });
  const element = node("div", { class: "dlw-legend", role: "group", "aria-label": "curves", style: `--dlw-letters: ${longest}` },
    at, ...chips.map((chip) => chip.press));
  return { element, at, chips };
}

const dashes = () => node("svg", { class: "dlw-dashes", viewBox: "0 0 14 6" }, node("path", { d: "M0 3H14", "stroke-dasharray": "5 4" }));

// Height of one panel: one is tall, several share what a telephone shows.
const panelHeight = (count, width) => {
  const [least, part, most] = count === 1 ? [240, 0.42, 420] : count === 2 ? [180, 0.3, 280] : [150, 0.25, 240];
  return Math.round(Math.min(most, Math.max(least, part * width)));
};

// Draws all panels for one width, and answers what the cursor needs.
function drawing(model, curves, svg, width) {
  const spec = model.get("spec"), values = model.get("values"), visible = model.get("visible");
  const tall = panelHeight(spec.panels.length, width), height = tall * spec.panels.length + 22;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", [model.get("title"), stateText(values, ordered(spec))].filter(Boolean).join(": "));
  const right = width - MARGIN.right;
  const x = scale(spec.x[0], spec.x.at(-1), MARGIN.left, right, spec.log_x);
  const points = [], parts = [];
  spec.panels.forEach((panel, p) => {
    const box = { left: MARGIN.left, right, top: tall * p + MARGIN.top, bottom: tall * (p + 1) - MARGIN.bottom };
    const shown = curves.filter((curve) => curve.panel === p && visible.includes(curve.name));
    const range = limits(panel, shown), y = scale(...range, box.bottom, box.top, panel.log);
    const clip = identity();
    const lines = node("g", { "clip-path": `url(#${clip})` }), words = [];
    for (const curve of shown) {
      const from = offset(spec.parameters, curve.parameters, values) * spec.x.length;
      const row = curve.all.subarray(from, from + spec.x.length);
      const slope = curve.slopes?.subarray(from, from + spec.x.length);
      lines.append(node("g", { class: `dlw-c${curve.index % 8}`, "data-curve": curve.name },
        ...(slope ? [line(spec.x, slope, x, y, true, curve.jumps), ...ends(spec.x, slope, x, y, curve.jumps)] : []),
        line(spec.x, row, x, y, false, curve.jumps), ...ends(spec.x, row, x, y, curve.jumps),
        ...(curves.length > 1 ? markers(curve.index, spec.x, row, x, y) : [])));
      points.push({ curve, row, slope, y, box });
      const end = curve.diverged ? row.findIndex((v) => !Number.isFinite(v)) : -1;
      if (end >= 0) words.push(gone(curve, x(spec.x[end]), box, words.length));
    }
    parts.push(node("text", { class: "dlw-label", x: 2, y: tall * p + 14 }, panel.label),
      node("clipPath", { id: clip }, node("rect", { x: box.left, y: box.top - 1, width: right - box.left, height: box.bottom - box.top + 2 })),
      ...axes(panel, box, x, y, spec, range), lines, ...words);
  });
  const cursor = node("g", { class: "dlw-cursor" });
  parts.push(node("text", { class: "dlw-label", x: (MARGIN.left + right) / 2, y: height - 5, "text-anchor": "middle" }, spec.x_label), cursor);
  svg.replaceChildren(...parts);
  return { x, points, cursor, height: tall * spec.panels.length };
}

// Where a run left the numbers: the word, at the upper edge.
const gone = (curve, x, box, row) => node("text", { class: `dlw-gone dlw-c${curve.index % 8}`, y: box.top + 12 + 15 * row,
  x: Math.max(x, box.left + 4), "text-anchor": x > box.right - 80 ? "end" : "start" }, "↑ diverged");

function drawCursor(plan, spec, at) {
  const px = plan.x(spec.x[at]);
  const parts = [node("line", { x1: px, x2: px, y1: MARGIN.top, y2: plan.height - MARGIN.bottom })];
  for (const { curve, row, y, box } of plan.points) {
    const py = y(row[at]);
    if (Number.isFinite(py) && py >= box.top - 1 && py <= box.bottom + 1) {
      parts.push(node("g", { class: `dlw-c${curve.index % 8} dlw-dot` }, node("circle", { cx: px, cy: py, r: 7 }), marker(curve.index, px, py, 0.8)));
    }
  }
  plan.cursor.replaceChildren(...parts);
}

// A value with no more decimals than the 16-bit code of its curve resolves: 0, not 2e−5.
function measured(value, packed, diverged) {
  if (!Number.isFinite(value)) return diverged ? "diverged" : "–";
  if (packed.log) return three(value);
  const decimals = Math.floor(-Math.log10((packed.high - packed.low) / 65534 || 1e-9));
  return three(Math.round(value * 10 ** decimals) / 10 ** decimals);
}

// Numbers at the cursor, in the legend; returns them as a sentence.
function readOut(table, plan, spec, at) {
  const words = [`${spec.x_label} = ${number(spec.x[at])}`];
  table.at.textContent = `at ${words[0]}`;
  for (const { curve, press, value, slope } of table.chips) {
    const point = plan.points.find((p) => p.curve === curve);
    press.setAttribute("aria-pressed", String(Boolean(point)));
    value.textContent = point ? measured(point.row[at], curve.values, curve.diverged) : "";
    slope.textContent = point?.slope ? measured(point.slope[at], curve.gradient) : "";
    if (point) words.push(`${curve.name} ${value.textContent}${point.slope ? `, gradient ${slope.textContent}` : ""}`);
  }
  return words.join("; ");
}

// The x under a finger or the mouse.
function follow(svg, model, spec, plan, keep) {
  const move = (event) => {
    if (event.type === "pointermove" && event.pointerType !== "mouse" && !event.buttons) return;
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const { x } = plan();
    const nearest = spec.x.reduce((best, v) => (Math.abs(x(v) - px) < Math.abs(x(best) - px) ? v : best), spec.x[0]);
    if (nearest !== model.get("cursor")) keep("cursor", nearest);
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
}

async function render({ model, el }) {
  const spec = model.get("spec");
  const curves = await decoded(spec);
  const { root, content, say } = frame(model, el, "curves");
  const keep = keeper(model);
  const svg = node("svg", { role: "img", class: "dlw-plot" });
  const plot = node("div", { class: "dlw-area" }, svg);
  const table = legend(model, curves, keep);
  const used = (name) => curves.some((curve) => curve.parameters.includes(name) && model.get("visible").includes(curve.name));
  const controls = parameterControls(model, keep, used);
  const cursor = slider(`read at ${spec.x_label}`, spec.x, (value) => keep("cursor", value));
  const state = node("p", { class: "dlw-state" });
  content.append(table.element, plot, node("div", { class: "dlw-controls" }, ...controls.elements, cursor.element), state);

  let plan, width = 0;
  const nearest = () => spec.x.reduce((best, v, i) => {
    const target = model.get("cursor");
    return Math.abs(v - target) < Math.abs(spec.x[best] - target) ? i : best;
  }, 0);
  const drawAt = () => {
    const at = nearest();
    cursor.update(spec.x[at]);
    drawCursor(plan, spec, at);
    const words = readOut(table, plan, spec, at);
    state.textContent = stateText(model.get("values"), ordered(spec));
    say([state.textContent, words].filter(Boolean).join("; "));
  };
  const draw = () => {
    if (width < 50) return;
    controls.update();
    plan = drawing(model, curves, svg, width);
    drawAt();
  };
  tabled(model, root, () => [[spec.x_label, ...plan.points.flatMap(({ curve, slope }) => slope ? [curve.name, `${curve.name}, gradient`] : [curve.name])],
    ...evenly(spec.x.length, 13).map((at) => [number(spec.x[at]), ...plan.points.flatMap(({ curve, row, slope }) =>
      [measured(row[at], curve.values, curve.diverged), ...(slope ? [measured(slope[at], curve.gradient)] : [])])])]);
  const sizes = new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next !== width) { width = next; draw(); }
  });
  width = Math.round(plot.getBoundingClientRect().width) || 640;
  draw();
  sizes.observe(plot);
  follow(svg, model, spec, () => plan, keep);
  const stop = [listen(model, ["change:values", "change:visible"], draw), listen(model, ["change:cursor"], drawAt)];
  return () => { sizes.disconnect(); stop.forEach((f) => f()); };
}

export default { render };

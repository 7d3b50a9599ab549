// Curves over parameters: panels, a legend that is also the table of values, a cursor.
import { frame, identity, keeper, listen, node, number, offset, parameterControls, slider, stateText, unpack } from "./controls.js";
import { MARGIN, axes, limits, line, marker, markers, scale, swatch } from "./plot.js";

const PANEL = 230;

async function decoded(spec) {
  return Promise.all(spec.curves.map(async (curve, index) => ({ ...curve, index,
    all: await unpack(curve.values), slopes: curve.gradient ? await unpack(curve.gradient) : null })));
}

// The rows of the legend: a switch, the value and the gradient at the cursor.
function legend(model, curves, keep) {
  const slopes = curves.some((curve) => curve.slopes);
  const caption = node("caption");
  const toggle = (name) => {
    const shown = model.get("visible");
    keep("visible", curves.map((c) => c.name).filter((n) => (n === name ? !shown.includes(n) : shown.includes(n))));
  };
  const rows = curves.map((curve) => {
    const press = node("button", { type: "button", class: "dlw-toggle", onclick: () => toggle(curve.name) },
      swatch(curve.index), node("span", {}, curve.name));
    const value = node("td"), slope = node("td");
    const row = node("tr", { class: `dlw-c${curve.index % 8}` }, node("th", { scope: "row" }, press), value, slopes ? slope : null);
    return { curve, press, value, slope, row };
  });
  const head = node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "curve"), node("th", { scope: "col" }, "value"),
    slopes ? node("th", { scope: "col" }, "gradient", dashes()) : null));
  const table = node("table", { class: "dlw-legend" }, caption, head, node("tbody", {}, ...rows.map((r) => r.row)));
  return { table, caption, rows };
}

const dashes = () => node("svg", { class: "dlw-dashes", viewBox: "0 0 28 6", "aria-hidden": "true" },
  node("path", { d: "M1 3H27", "stroke-dasharray": "6 4" }));

// Draws all panels for one width, and answers what the cursor needs.
function drawing(model, curves, svg, width) {
  const spec = model.get("spec"), values = model.get("values"), visible = model.get("visible");
  const height = PANEL * spec.panels.length + 22;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", [model.get("title"), stateText(values)].filter(Boolean).join(": "));
  const right = width - MARGIN.right;
  const x = scale(spec.x[0], spec.x.at(-1), MARGIN.left, right, spec.log_x);
  const points = [], parts = [];
  spec.panels.forEach((panel, p) => {
    const box = { left: MARGIN.left, right, top: PANEL * p + MARGIN.top, bottom: PANEL * (p + 1) - MARGIN.bottom };
    const shown = curves.filter((curve) => curve.panel === p && visible.includes(curve.name));
    const range = limits(panel, shown), y = scale(...range, box.bottom, box.top, panel.log);
    const clip = identity();
    const lines = node("g", { "clip-path": `url(#${clip})` });
    for (const curve of shown) {
      const from = offset(spec.parameters, curve.parameters, values) * spec.x.length;
      const row = curve.all.subarray(from, from + spec.x.length);
      const slope = curve.slopes?.subarray(from, from + spec.x.length);
      lines.append(node("g", { class: `dlw-c${curve.index % 8}`, "data-curve": curve.name },
        ...(slope ? [line(spec.x, slope, x, y, true)] : []), line(spec.x, row, x, y, false),
        ...(curves.length > 1 ? markers(curve.index, spec.x, row, x, y) : [])));
      points.push({ curve, row, slope, y, box });
    }
    parts.push(node("text", { class: "dlw-label", x: 2, y: PANEL * p + 14 }, panel.label),
      node("clipPath", { id: clip }, node("rect", { x: box.left, y: box.top - 1, width: right - box.left, height: box.bottom - box.top + 2 })),
      ...axes(panel, box, x, y, spec, range), lines);
  });
  const cursor = node("g", { class: "dlw-cursor" });
  parts.push(node("text", { class: "dlw-label", x: (MARGIN.left + right) / 2, y: height - 5, "text-anchor": "middle" }, spec.x_label), cursor);
  svg.replaceChildren(...parts);
  return { x, points, cursor, height: PANEL * spec.panels.length };
}

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
function measured(value, packed) {
  if (packed.log || !Number.isFinite(value)) return number(value);
  const decimals = Math.floor(-Math.log10((packed.high - packed.low) / 65534 || 1e-9));
  return number(Math.round(value * 10 ** decimals) / 10 ** decimals);
}

// Numbers at the cursor, in the legend; returns them as a sentence.
function readOut(table, plan, spec, at) {
  const words = [`${spec.x_label} = ${number(spec.x[at])}`];
  table.caption.textContent = words[0];
  for (const { curve, press, value, slope, row } of table.rows) {
    const point = plan.points.find((p) => p.curve === curve);
    press.setAttribute("aria-pressed", String(Boolean(point)));
    row.classList.toggle("dlw-off", !point);
    value.textContent = point ? measured(point.row[at], curve.values) : "";
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
  const { content, say } = frame(model, el, "curves");
  const keep = keeper(model);
  const svg = node("svg", { role: "img", class: "dlw-plot" });
  const plot = node("div", { class: "dlw-area" }, svg);
  const table = legend(model, curves, keep);
  const controls = parameterControls(model, keep);
  const cursor = slider(`read at ${spec.x_label}`, spec.x, (value) => keep("cursor", value));
  const state = node("p", { class: "dlw-state" });
  content.append(plot, node("div", { class: "dlw-controls" }, ...controls.elements, cursor.element), table.table, state);

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
    state.textContent = stateText(model.get("values"));
    say([state.textContent, words].filter(Boolean).join("; "));
  };
  const draw = () => {
    if (width < 50) return;
    controls.update();
    plan = drawing(model, curves, svg, width);
    drawAt();
  };
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

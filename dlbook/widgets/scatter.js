// Points over two axes of the reader's choice; hover, tap, or the menu picks one.
import { button, frame, identity, inflated, keeper, listen, node, number, parameterControls } from "./controls.js";
import { tabled } from "./numbers.js";
import { MARGIN, axes, marker, scale } from "./plot.js";

const NEAR = 36; // pixels within which the pointer picks a point

const named = (spec, name) => (spec.axes[name].unit ? `${name} (${spec.axes[name].unit})` : name);

// The points that have both values, and of those the ones whose group is switched on.
function chosen(model, points) {
  const spec = model.get("spec"), { across, up } = model.get("values"), visible = model.get("visible");
  const both = points.filter((point) => across in point.values && up in point.values);
  return { both, shown: both.filter((point) => visible.includes(spec.groups[point.group])) };
}

// The range of an axis: over all groups, so that it holds still while groups are switched.
function range(points, name, log) {
  const values = points.map((point) => point.values[name]);
  const low = Math.min(...values), high = Math.max(...values);
  if (log) return [low / 1.4, high * 1.4];
  const pad = (high - low) * 0.05 || 0.5;
  return [low - pad, high + pad];
}

// The line through the points of each family, from left to right.
const families = (places) => [...new Set(places.map(({ point }) => point.group))].map((group) => {
  const own = places.filter(({ point }) => point.group === group).sort((a, b) => a.x - b.x);
  return own.length < 2 ? null : node("path", { class: `dlw-family dlw-c${group % 8}`, "data-family": group,
    d: own.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") });
});

// The staircase of the points that no other beats on both axes, where the author said which end of each is better.
function frontier(spec, places, across, up, box) {
  const [first, second] = [spec.axes[across].better, spec.axes[up].better];
  if (!first || !second || across === up || !places.length) return null;
  const side = first === "low" ? 1 : -1, down = second === "high" ? 1 : -1;  // pixels run to the right, and down
  let best = Infinity, d = "";
  for (const { x, y } of [...places].sort((a, b) => side * (a.x - b.x) || down * (a.y - b.y))) {
    if (down * y >= best) continue;
    best = down * y;
    d += d ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  return node("path", { class: "dlw-frontier", d: `${d}H${side > 0 ? box.right : box.left}` });
}

// Draws everything for one width; answers where the points are.
function drawing(model, points, svg, width) {
  const spec = model.get("spec"), { across, up } = model.get("values");
  const { both, shown } = chosen(model, points);
  const height = width < 480 ? 340 : 420;
  const box = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - 44 };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", `${model.get("title")}: ${up} over ${across}, ${shown.length} points`);
  const words = [node("text", { class: "dlw-label", x: 2, y: 14 }, named(spec, up)),
    node("text", { class: "dlw-label", x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }, named(spec, across))];
  if (!both.length) {
    svg.replaceChildren(...words, node("text", { x: box.left + 8, y: height / 2 }, "No point has a value on both axes."));
    return { places: [] };
  }
  const wide = range(both, across, spec.axes[across].log), tall = range(both, up, spec.axes[up].log);
  const x = scale(...wide, box.left, box.right, spec.axes[across].log), y = scale(...tall, box.bottom, box.top, spec.axes[up].log);
  const grid = axes({ log: spec.axes[up].log }, box, x, y, { x: wide, log_x: spec.axes[across].log }, tall);
  const places = shown.map((point) => ({ point, x: x(point.values[across]), y: y(point.values[up]) }));
  const marks = places.map((place) => node("g", { class: `dlw-c${place.point.group % 8} dlw-point`, "data-point": place.point.name, "data-family": place.point.group },
    marker(place.point.group, place.x, place.y)));
  const ring = node("g", { class: "dlw-picked" });
  const edge = frontier(spec, places, across, up, box);
  svg.replaceChildren(...words, ...grid, ...(edge ? [edge] : []), ...families(places).filter(Boolean), ...marks, ring);
  return { places, ring, width, left: box.left };
}

// The picked point: a ring, its name beside it, right of the axis and its numbers.
function drawPicked(plan, name) {
  const place = plan.places.find(({ point }) => point.name === name);
  plan.ring?.replaceChildren(...(place ? [
    node("circle", { cx: place.x, cy: place.y, r: 9, class: `dlw-c${place.point.group % 8}` }),
    node("g", { class: `dlw-c${place.point.group % 8}` }, marker(place.point.group, place.x, place.y, 1.2)),
    ...["dlw-halo", "dlw-name"].map((kind) => node("text", { class: kind, y: place.y - 13 < 12 ? place.y + 24 : place.y - 13,
      x: Math.min(Math.max(place.x, plan.left + 2 + 3.6 * name.length), plan.width - 4 - 3.6 * name.length), "text-anchor": "middle" }, name)),
  ] : []));
}

// One switch a family; those without a point on the axes are left out. Pointing at one, or reaching it by key, fades the others.
function legend(model, points, keep, svg) {
  const spec = model.get("spec");
  const toggle = (group) => {
    const visible = model.get("visible");
    keep("visible", spec.groups.filter((g) => (g === group ? !visible.includes(g) : visible.includes(g))));
  };
  const all = node("button", { type: "button", class: "dlw-all", onclick: () =>
    keep("visible", model.get("visible").length === spec.groups.length ? [] : [...spec.groups]) }, "all");
  const alone = (i) => () => svg.querySelectorAll("[data-family]").forEach((part) => {
    part.classList.toggle("dlw-faded", i !== null && Number(part.dataset.family) !== i);
    part.classList.toggle("dlw-alone", Number(part.dataset.family) === i);
  });
  const rows = spec.groups.map((group, i) => [group, node("button", { type: "button", class: `dlw-group dlw-c${i % 8}`, onclick: () => toggle(group),
    onpointerenter: alone(i), onpointerleave: alone(null), onfocus: alone(i), onblur: alone(null) },
    node("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" }, marker(i, 0, 0)), group)]);
  const update = () => {
    const visible = model.get("visible");
    all.textContent = visible.length === spec.groups.length ? "none" : "all";
    const drawn = new Set(chosen(model, points).both.map((point) => point.group));
    rows.forEach(([group, press], i) => {
      press.setAttribute("aria-pressed", String(visible.includes(group)));
      press.hidden = !drawn.has(i);
    });
  };
  update();
  return { element: node("div", { class: "dlw-groups", role: "group", "aria-label": "families" }, ...rows.map(([, press]) => press), all), update };
}

// The menu of points with its neighbours' buttons, and the table of the picked one.
function reader(model, points, keep) {
  const spec = model.get("spec"), id = identity();
  const menu = node("select", { id, onchange: () => keep("selected", menu.value) });
  const step = (by) => {
    const names = chosen(model, points).shown.map((point) => point.name);
    const at = names.indexOf(model.get("selected"));
    if (names.length) keep("selected", names[at < 0 ? (by > 0 ? 0 : names.length - 1) : (at + by + names.length) % names.length]);
  };
  const back = button("back", "previous point", () => step(-1)), next = button("next", "next point", () => step(1));
  const body = node("tbody"), note = node("p", { class: "dlw-note" });
  const table = node("table", {}, node("caption", { class: "dlw-hidden" }, "the picked point"), body);
  const fill = () => {
    const { shown } = chosen(model, points);
    menu.replaceChildren(node("option", { value: "" }, `pick one of ${shown.length}`),
      ...shown.map((point) => node("option", { value: point.name }, point.name)));
  };
  const update = () => {
    const point = chosen(model, points).shown.find(({ name }) => name === model.get("selected"));
    menu.value = point ? point.name : "";
    const rows = point ? [["family", spec.groups[point.group]], ...spec.parameters.across.filter((name) => name in point.values)
      .map((name) => [named(spec, name), number(point.values[name])])] : [];
    body.replaceChildren(...rows.map(([name, value]) => node("tr", {}, node("th", { scope: "row" }, name), node("td", {}, value))));
    note.textContent = point ? point.note : "";
    return point ? [point.name, ...rows.map((row) => row.join(" ")), point.note].filter(Boolean).join("; ") : "";
  };
  const element = node("div", { class: "dlw-reader" }, node("label", { for: id }, "point"),
    node("div", { class: "dlw-track" }, back.element, menu, next.element), table, note);
  return { element, fill, update };
}

// The point under a finger or the mouse.
function follow(svg, model, plan, keep) {
  const pick = (event) => {
    if (event.type === "pointermove" && event.pointerType !== "mouse") return;
    const box = svg.getBoundingClientRect(), ratio = svg.viewBox.baseVal.width / box.width;
    const px = (event.clientX - box.left) * ratio, py = (event.clientY - box.top) * ratio;
    let best = NEAR, found = null;
    for (const { point, x, y } of plan().places) {
      const distance = Math.hypot(x - px, y - py);
      if (distance < best) [best, found] = [distance, point.name];
    }
    if (found && found !== model.get("selected")) keep("selected", found);
  };
  svg.addEventListener("pointermove", pick);
  svg.addEventListener("pointerdown", pick);
}

async function render({ model, el }) {
  const points = await inflated(model.get("spec").points).json();
  const { root, content, say } = frame(model, el, "scatter");
  const keep = keeper(model);
  const svg = node("svg", { role: "img", class: "dlw-plot" });
  const plot = node("div", { class: "dlw-area" }, svg);
  const controls = parameterControls(model, keep), groups = legend(model, points, keep, svg), picked = reader(model, points, keep);
  content.append(plot, picked.element, node("div", { class: "dlw-controls" }, ...controls.elements), groups.element);

  let plan = { places: [] }, width = 0;
  const drawSelected = () => { drawPicked(plan, model.get("selected")); say(picked.update()); };
  const draw = () => {
    if (width < 50) return;
    controls.update();
    groups.update();
    plan = drawing(model, points, svg, width);
    picked.fill();
    drawSelected();
  };
  tabled(model, root, () => {
    const spec = model.get("spec"), names = spec.parameters.across;
    return [["point", "family", ...names.map((name) => named(spec, name))], ...chosen(model, points).shown.map((point) =>
      [point.name, spec.groups[point.group], ...names.map((name) => (name in point.values ? number(point.values[name]) : "–"))])];
  });
  const sizes = new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next !== width) { width = next; draw(); }
  });
  width = Math.round(plot.getBoundingClientRect().width) || 640;
  draw();
  sizes.observe(plot);
  follow(svg, model, () => plan, keep);
  const stop = [listen(model, ["change:values", "change:visible"], draw), listen(model, ["change:selected"], drawSelected)];
  return () => { sizes.disconnect(); stop.forEach((f) => f()); };
}

export default { render };

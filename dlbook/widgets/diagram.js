// A network as blocks from top to bottom: shapes, costs, bars; a click opens a block.
import { frame, identity, inflated, keeper, listen, node } from "./controls.js";
import { sourceText, wires } from "./diagram_flow.js";

const MEASURE = { parameters: "parameters", MACs: "macs", activations: "activations", "receptive field": "field" };

function block([name, type, detail, kind, input, shape, parameters, macs, activations, rf, first, repeat, parallel, join, inputs,
  note, children], path = "") {
  const inner = children.map((child, i) => block(child, path ? `${path}.${i}` : String(i)));
  const joins = [...new Set(inner.map((child) => child.join).filter(Boolean))];
  return { path, name, type, detail, kind, input, shape, parameters, macs, activations, rf, first, repeat, parallel, join, joins,
    inputs, note, children: inner, field: Math.max(0, ...rf) };
}

const exact = (value) => value.toLocaleString("en-US");

// 25557032 as 25.6 M.
function short(value) {
  const [size, unit] = value >= 999.5e6 ? [1e9, " G"] : value >= 999.5e3 ? [1e6, " M"] : value >= 1e4 ? [1e3, " k"] : [1, ""];
  return (size === 1 ? exact(value) : (value / size).toPrecision(3)) + unit;
}

const shapeText = (shape) => shape.join("×") || "–";
const fieldText = (rf) => (rf.length ? `${rf.join("×")} px` : "–");

const all = (row) => [row, ...row.children.flatMap(all)];

// A cell of a row: its name for screen readers and for narrow places, then its value.
const cell = (kind, label, value, title) => node("span", { class: `dlw-cell dlw-${kind}${value === "–" ? " dlw-none" : ""}`, title: title ?? null },
  node("span", { class: "dlw-key" }, label), node("span", {}, value));

// The first cell: sign, name, type, what it does, how often.
function nameCell(row, rows, at) {
  const times = row.repeat > 1 ? node("b", { class: "dlw-times" }, ` × ${row.repeat}${row.parallel ? " side by side" : ""}`) : null;
  const from = sourceText(rows, at);
  const words = [row.detail, row.note, from].filter(Boolean).join(" · ");
  const sign = row.children.length
    ? node("svg", { class: "dlw-turn", viewBox: "0 0 16 16", "aria-hidden": "true" }, node("path", { d: "M6 3 11 8 6 13" }))
    : node("span", { class: `dlw-kind dlw-kind-${row.kind}`, "aria-hidden": "true" });
  return node("span", { class: "dlw-name" }, sign, node("span", {}, row.name ? node("b", { class: "dlw-own" }, row.name) : null,
    node("span", {}, `${row.name ? " " : ""}${row.type}`), times,
    ...row.joins.map((join) => node("span", { class: "dlw-join" }, join)),
    words ? node("span", { class: "dlw-words" }, ` ${words}`) : null));
}

// The bar: a share of the whole network, or of the largest receptive field.
function bar(row, whole) {
  const fill = node("span", { class: "dlw-fill" }), text = node("span", { class: "dlw-share" });
  const key = node("span", { class: "dlw-key" });
  const element = node("span", { class: "dlw-cell dlw-load" }, key, node("span", { class: "dlw-rail", "aria-hidden": "true" }, fill), text);
  const update = (measure) => {
    const field = measure === "receptive field";
    const value = field ? row.field : row.repeat * row[MEASURE[measure]];
    const part = whole[measure] ? value / whole[measure] : 0;
    fill.style.width = value ? `max(2px, ${(100 * part).toFixed(2)}%)` : "0";
    const share = part < 0.0005 ? "< 0.1 %" : `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)} %`;
    element.classList.toggle("dlw-none", !value);
    text.textContent = field ? fieldText(row.rf) : measure === "activations" && value ? `${short(value)} · ${share}` : value ? share : "–";
    key.textContent = measure;
  };
  return { element, update };
}

// One row: a button where the block has an inside.
function head(row, rows, at, whole, toggle) {
  const spread = bar(row, whole);
  const cost = (label, value) => cell("number", label, value ? short(row.repeat * value) : "–",
    row.repeat > 1 ? `${exact(row.repeat * value)} = ${row.repeat} × ${exact(value)}` : exact(value));
  const cells = [nameCell(row, rows, at), cell("shape", "output", shapeText(row.shape)), cost("parameters", row.parameters),
    cost("MACs", row.macs), spread.element];
  const element = row.children.length
    ? node("button", { type: "button", class: "dlw-row", "aria-expanded": "false", "data-path": row.path, onclick: () => toggle(row) }, ...cells)
    : node("div", { class: "dlw-row" }, ...cells);
  return { element, update: spread.update };
}

// The blocks of one level, with the lines beside them. Blocks are built when they are first opened.
function level(parent, context) {
  const rows = parent.children, wired = wires(rows);
  const flow = node("div", { class: "dlw-flow" });
  flow.style.setProperty("--dlw-lanes", wired.lanes);
  const words = [`in ${shapeText(parent.input)}`, parent.repeat > 1 ? `this is the first of ${parent.repeat}` : "",
    wired.dropped ? "more connections than lines can show: each block says what it takes" : ""].filter(Boolean).join("; ");
  const items = rows.map((row, at) => {
    const { element, update } = head(row, rows, at, context.whole, context.toggle);
    const item = node("li", { class: `dlw-block${row.inputs.includes(at - 1) ? " dlw-next" : ""}${row.children.length ? " dlw-inside" : ""}` }, element);
    item.style.gridRow = at + 2;
    update(context.measure());
    context.bars.push(update);
    context.items.set(row.path, { row, item, element, inner: null });
    return item;
  });
  flow.append(node("p", { class: "dlw-in" }, words), node("ul", {}, ...items), ...wired.elements);
  return flow;
}

// Open or close what the model says; a level that nobody has opened is not built.
function unfold(row, context, opened) {
  for (const child of row.children.filter((c) => c.children.length)) {
    const entry = context.items.get(child.path), open = opened.has(child.path);
    if (open && !entry.inner) {
      entry.inner = level(child, context);
      entry.inner.id = identity();
      entry.element.setAttribute("aria-controls", entry.inner.id);
      entry.item.append(entry.inner);
    }
    entry.element.setAttribute("aria-expanded", String(open));
    if (!entry.inner) continue;
    entry.inner.hidden = !open;
    unfold(child, context, opened);
  }
}

// Radio buttons for what the bars show.
function switcher(measures, change) {
  const group = identity();
  const radios = measures.map((name) => node("input", { type: "radio", name: group, value: name, onchange: () => change(name) }));
  const element = node("fieldset", { class: "dlw-control dlw-choice" }, node("legend", {}, "bars show"),
    node("div", {}, ...radios.map((radio, i) => node("label", { class: "dlw-radio" }, radio, node("span", {}, measures[i])))));
  return { element, update: (value) => radios.forEach((radio) => { radio.checked = radio.value === value; }) };
}

async function render({ model, el }) {
  const { tree, measures } = model.get("spec");
  const root = block(await inflated(tree).json()), rows = all(root), keep = keeper(model);
  const paths = rows.filter((row) => row.path && row.children.length).map((row) => row.path);
  const { content, say } = frame(model, el, "diagram");
  const whole = Object.fromEntries(measures.map((name) => [name,
    name === "receptive field" ? Math.max(...rows.map((row) => row.field)) : root[MEASURE[name]]]));
  const context = { whole, bars: [], items: new Map(), measure: () => model.get("bars"), toggle: ({ path }) => {
    const opened = model.get("opened");
    keep("opened", paths.filter((p) => (p === path ? !opened.includes(p) : opened.includes(p))));
  } };
  const choice = switcher(measures, (name) => keep("bars", name));
  const press = (text, opened) => node("button", { type: "button", class: "dlw-all", onclick: () => keep("opened", opened) }, text);
  const label = node("span", { class: "dlw-load" });
  const header = node("div", { class: "dlw-row dlw-header", "aria-hidden": "true" }, ...[["name", "block"], ["shape", "output"],
    ["number", "parameters"], ["number", "MACs"]].map(([kind, text]) => node("span", { class: `dlw-${kind}` }, text)), label);
  const totals = `${exact(root.parameters)} parameters · ${exact(root.macs)} MACs · receptive field ${fieldText(root.rf)}`;
  content.append(node("p", { class: "dlw-totals" }, totals),
    node("div", { class: "dlw-controls dlw-tools" }, choice.element, paths.length
      ? node("div", { class: "dlw-buttons" }, press("open all", paths), press("close all", [])) : null),
    header, level(root, context));
  const measure = () => {
    choice.update(model.get("bars"));
    label.textContent = ({ parameters: "share of parameters", MACs: "share of MACs" })[model.get("bars")] ?? model.get("bars");
    context.bars.forEach((update) => update(model.get("bars")));
  };
  const open = () => unfold(root, context, new Set(model.get("opened")));
  measure();
  open();
  const stops = [listen(model, ["change:bars"], () => { measure(); say(`The bars show ${model.get("bars")}.`); }), listen(model, ["change:opened"], open)];
  return () => stops.forEach((stop) => stop());
}

export default { render };

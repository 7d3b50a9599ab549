// A picture that is dragged to the side by whole pixels, and what each network makes of it at every place.
import { frame, inflatedBytes, keeper, listen, node, number, parameterControls, stateText, three } from "./controls.js";
import { dragged, onWidth, player } from "./stage.js";

const PICTURE = "picture", SHIFT = "shift", SECONDS = 8;

// Where everything stands in a picture of this width; nudge_still.py does the same.
export function desk(width, spec) {
  const wide = width >= 760, rows = spec.rows.length, [left, top] = wide ? [24, 46] : [12, 34], side = wide ? 232 : 120;
  const start = wide ? left + side + 44 : 12, first = wide ? 46 : top + side + 40, cell = wide ? 104 : 84, step = wide ? 172 : 254;
  const bars = [wide ? Math.max(600, width - 344) : 12, width - (wide ? 24 : 12)], tall = wide ? 84 : 74, base = wide ? cell : cell + 36 + tall;
  const end = first + (rows - 1) * step + base, chart = [start, width - (wide ? 24 : 12), end + 74, end + 158];
  return { width, wide, left, top, side, start, cell, bars, tall, base, gap: (bars[1] - bars[0]) / spec.classes.length, chart, height: chart[3] + 46,
    row: (index) => first + index * step, along: (part) => chart[0] + part * (chart[1] - chart[0]) };
}

// Left edge, width and height of each tiles of a row.
function places(at, row) {
  const room = (at.wide ? at.bars[0] - 28 : at.width - 12) - at.start;
  let x = at.start;
  return row.tiles.map(({ shape: [high, wide] }, part) => {
    const unit = part ? Math.min(at.cell / high, (room - (x - at.start)) / wide) : at.cell / high, place = [x, unit * wide, unit * high];
    x += unit * wide + 22;
    return place;
  });
}

// Bytes as a grey picture; `shift` rolls it to the right.
function grey(bytes, wide, shift = 0) {
  const high = bytes.length / wide, canvas = node("canvas", { width: wide, height: high }), context = canvas.getContext("2d"), data = context.createImageData(wide, high);
  bytes.forEach((value, k) => {
    const column = (((k % wide) + shift) % wide + wide) % wide;
    data.data.set([value, value, value, 255], 4 * (k - (k % wide) + column));
  });
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

const picture = (x, y, width, height) => node("image", { class: "dlw-view", preserveAspectRatio: "none", x, y, width, height });

function network(spec, at, index) {
  const row = spec.rows[index], top = at.row(index), base = top + at.base, around = places(at, row), x = (k) => at.bars[0] + at.gap * (k + 0.5);
  const tiles = around.map(([left, wide, high]) => picture(left, top, wide, high));
  const bars = spec.classes.map((_, k) => node("rect", { class: "dlw-bar", x: x(k) - 0.34 * at.gap, width: 0.68 * at.gap }));
  const names = spec.classes.map((name, k) => node("text", { x: x(k), y: base + 17, "text-anchor": "middle" }, name));
  const verdict = node("text", { x: at.bars[1], y: base - at.tall - 12, "text-anchor": "end", class: "dlw-strong" });
  const parts = [node("text", { x: at.start, y: top - 12, class: "dlw-name" }, row.name), verdict, ...tiles, ...bars, ...names,
    ...around.map(([left, , high], part) => node("text", { x: left, y: top + high + 17 }, row.tiles[part].label))];
  const show = (p, truth, cells) => {
    const best = p.indexOf(Math.max(...p));
    p.forEach((value, k) => {
      const high = Math.max(1.5, at.tall * value);
      bars[k].setAttribute("y", base - high);
      bars[k].setAttribute("height", high);
      names[k].classList.toggle("dlw-truth", k === truth);
    });
    tiles.forEach((tile, part) => tile.setAttribute("href", cells[part]));
    verdict.textContent = `${best === truth ? "" : "✗ "}says ${spec.classes[best]}`;
    verdict.classList.toggle("dlw-bad", best !== truth);
  };
  return { element: node("g", { class: `dlw-net-${index}` }, ...parts), show };
}

// The probability of the true class at every shift.
function chart(spec, at) {
  const [left, right, top, base] = at.chart, shifts = spec.parameters[SHIFT], last = Math.max(1, shifts.length - 1);
  const lines = spec.rows.map((_, index) => node("path", { class: `dlw-line dlw-net-${index}` })), here = node("path", { class: "dlw-here" });
  const title = node("text", { x: left, y: top - 14, class: "dlw-strong" });
  const marks = shifts.map((value, k) => [value, k]).filter(([, k]) => k % 4 === 0)
    .map(([value, k]) => node("text", { x: at.along(k / last), y: base + 24, "text-anchor": "middle" }, number(value)));
  const element = node("g", {}, title, node("path", { class: "dlw-base", d: `M${left} ${top}H${right}M${left} ${base}H${right}` }), here, ...lines, ...marks);
  const show = (of, shift, truth) => {
    title.textContent = `probability of ${spec.classes[truth]}, the right answer: 0 below, 1 above`;
    lines.forEach((line, index) => {
      const points = spec.rows[index].probabilities[of].map((p, k) => `${at.along(k / last)} ${base - (base - top) * p[truth]}`);
      line.setAttribute("d", `M${points.join("L")}`);
    });
    here.setAttribute("d", `M${at.along(shift / last)} ${top - 6}V${base + 6}`);
  };
  return { element, show, shift: (x) => Math.round(((x - left) / (right - left)) * last) };
}

function drawing(spec, width) {
  const at = desk(width, spec), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const seen = picture(at.left, at.top, at.side, at.side), nets = spec.rows.map((_, index) => network(spec, at, index)), graph = chart(spec, at);
  const edge = node("rect", { class: "dlw-edge", x: at.left, y: at.top, width: at.side, height: at.side });
  svg.append(node("text", { x: at.left, y: at.top - 12, class: "dlw-strong" }, "drag the picture"), seen, edge, ...nets.map((net) => net.element), graph.element);
  return { svg, at, seen, nets, graph };
}

// The picture, taken along by a finger or the mouse; and the chart, where a place can be chosen.
function drag({ svg, at, graph }, spec, now, change) {
  const x = (event) => { const box = svg.getBoundingClientRect(); return ((event.clientX - box.left) * at.width) / box.width; };
  const [left, right, top, base] = at.chart, shifts = spec.parameters[SHIFT];
  const grip = node("rect", { class: "dlw-grip", x: at.left, y: at.top, width: at.side, height: at.side });
  const field = node("rect", { class: "dlw-field", x: left - 8, y: top - 8, width: right - left + 16, height: base - top + 16 });
  let from = 0, start = 0;
  dragged(grip, (event, first) => {
    if (first) { from = x(event); start = shifts[now()]; } else change(shifts.indexOf(Math.max(shifts[0], Math.min(shifts.at(-1), start + Math.round(((x(event) - from) * spec.side) / at.side)))));
  });
  const choose = (event) => change(Math.max(0, Math.min(shifts.length - 1, graph.shift(x(event)))));
  dragged(field, choose);
  svg.append(grip, field);
}

// What a network says, in words.
function says(spec, row, truth, p) {
  const best = p.indexOf(Math.max(...p));
  return `${row.name}: ${spec.classes[best]}, ${best === truth ? "right" : "wrong"}, with ${three(p[best])}`;
}

async function unpacked(spec) {
  const cells = await Promise.all(spec.rows.map((row) => Promise.all(row.tiles.map((tiles) => inflatedBytes(tiles.cells)))));
  return { pixels: await inflatedBytes(spec.pixels), cells };
}

async function render({ model, el }) {
  const spec = model.get("spec"), { pixels, cells } = await unpacked(spec), { content, say } = frame(model, el, "nudge"), keep = keeper(model);
  const shifts = spec.parameters[SHIFT], controls = parameterControls(model, keep), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const hold = node("div", { class: "dlw-hold" });
  let shown = null;
  const now = () => Math.max(0, shifts.indexOf(model.get("values")[SHIFT]));
  const move = (index) => { if (index >= 0 && index !== now()) keep("values", { ...model.get("values"), [SHIFT]: shifts[index] }); };
  const clock = player(SECONDS, 1 / shifts.length, (part) => move(Math.min(shifts.length - 1, Math.floor(part * shifts.length))), "play: the picture moves");
  const draw = () => {
    const values = model.get("values"), of = spec.parameters[PICTURE].indexOf(values[PICTURE]), shift = now(), truth = spec.truths[of];
    controls.update();
    state.textContent = stateText(values, spec.order);
    verdict.textContent = `Shifted by ${number(values[SHIFT])}. ${spec.rows.map((row) => says(spec, row, truth, row.probabilities[of][shift])).join(". ")}.`;
    say(verdict.textContent);
    if (!shown) return;
    shown.seen.setAttribute("href", grey(pixels.slice(of * spec.side ** 2, (of + 1) * spec.side ** 2), spec.side, values[SHIFT]));
    shown.graph.show(of, shift, truth);
    spec.rows.forEach((row, index) => shown.nets[index].show(row.probabilities[of][shift], truth, row.tiles.map(({ shape: [high, wide] }, part) => {
      const from = (of * shifts.length + shift) * high * wide;
      return grey(cells[index][part].slice(from, from + high * wide), wide);
    })));
  };
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-playing" }, ...clock.elements), node("div", { class: "dlw-controls" }, ...controls.elements), state);
  const unwatch = onWidth(hold, (width) => {
    shown = drawing(spec, width);
    hold.replaceChildren(shown.svg);
    drag(shown, spec, now, (index) => { clock.stop(); move(index); });
    draw();
  });
  const stop = listen(model, ["change:values"], draw);
  draw();
  return () => { clock.stop(); unwatch(); stop(); };
}

export default { render };

// A bar of light on the receptive field of cells: drag it, turn it, and see what the cells answer.
import { bySign, frame, keeper, listen, node, parameterControls, stateText, unpack } from "./controls.js";
import { keptStill, onSight, onWidth, player } from "./stage.js";

const SPIKES = 28, SECONDS = 5, GRIP = 26;

// Where everything stands in a picture of this width; cortex_still.py does the same.
export function board(width) {
  const wide = width >= 640, size = wide ? Math.min(340, Math.round(0.37 * width)) : width - 40, left = wide ? 24 : 20, top = 40;
  const start = wide ? left + size + 44 : 20, stop = width - (wide ? 24 : 20), first = wide ? 46 : top + size + 44, row = wide ? size / 3 + 2 : 132;
  const height = wide ? top + size + 26 : first + 3 * row + 4, room = stop - start, gap = 24, part = wide ? (room - 2 * gap) / 3 : (room - gap) / 2;
  const columns = wide ? [0, 1, 2].map((k) => [start + k * (part + gap), start + k * (part + gap) + part]) : [[start, stop], [start, start + part], [stop - part, stop]];
  const lines = (k) => { const y = first + k * row; return wide ? [y + 30, y + row - 34, y + 24, y + row - 24] : [y + 14, y + 36, y + 66, y + 112]; };
  return { wide, size, left, top, height, columns, lines };
}

// What the three cells answer to a bar, each relative to its best.
export function answers({ side, length, width, best }, filters, { angle, x, y, bar }) {
  const turn = (angle * Math.PI) / 180, [sin, cos] = [Math.sin(turn), Math.cos(turn)], half = (side - 1) / 2, sums = [0, 0];
  const part = (whole, distance) => Math.max(0, Math.min(1, whole / 2 - Math.abs(distance) + 0.5));
  for (let row = 0, k = 0; row < side; row++) for (let column = 0; column < side; column++, k++) {
    const right = column - half - x, down = row - half - y, light = part(width, right * sin + down * cos) * part(length, right * cos - down * sin);
    if (light) { sums[0] += light * filters[k]; sums[1] += light * filters[side * side + k]; }
  }
  const [even, odd] = bar === "dark" ? sums.map((v) => -v) : sums;
  return [Math.max(0, even), Math.max(0, odd), Math.hypot(even, odd)].map((v, i) => v / best[i]);
}

// The places of a bar that moves across itself, from border to border.
export const across = ({ side }, angle) => Array.from({ length: side }, (_, k) => {
  const step = k - (side - 1) / 2, turn = (angle * Math.PI) / 180;
  return { angle, x: step * Math.sin(turn), y: step * Math.cos(turn) };
});

const spikes = (value, row) => { const count = Math.round(SPIKES * Math.min(1.2, value)); return Array.from({ length: count }, (_, k) => (k + 0.5 + 0.35 * Math.sin(7.3 * k + 2.1 * row)) / count); };

// The field of the first filter: blue where light excites, red where it inhibits.
function field(side, filters) {
  const canvas = node("canvas", { width: side, height: side }), context = canvas.getContext("2d"), data = context.createImageData(side, side);
  const most = filters.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
  for (let k = 0; k < side * side; k++) data.data.set([...bySign(filters[k]), Math.round(190 * (Math.abs(filters[k]) / most) ** 0.8)], 4 * k);
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

const path = (curve, [a, b], high, low) => curve.map((v, k) => `${k ? "L" : "M"}${(a + ((b - a) * k) / (curve.length - 1)).toFixed(1)} ${(low - (low - high) * Math.min(1, v)).toFixed(1)}`).join("");

// One cell: name, spikes, and a curve with a dot over angles and over places.
function cell(at, name, row) {
  const [top, foot, high, low] = at.lines(row), [[left, right], ...places] = at.columns, kind = row === 2 ? "dlw-whole" : "dlw-half";
  const ticks = node("path", { class: `dlw-spikes ${kind}` }), curves = places.map(() => node("path", { class: `dlw-answer ${kind}` })), dots = places.map(() => node("circle", { class: "dlw-now", r: 5 }));
  const words = at.wide ? ["turned in its place", "moved across the middle"] : ["turned", "moved across"];
  const texts = row && at.wide ? [] : words.map((word, i) => node("text", { x: places[i][0], y: high - 6, class: "dlw-small" }, word));
  const floors = [[left, right, foot], ...places.map(([a, b]) => [a, b, low])].map(([a, b, y]) => node("path", { class: "dlw-floor", d: `M${a} ${y}H${b}` }));
  const fill = (value, sets, marks) => {
    ticks.setAttribute("d", spikes(value, row).map((part) => `M${(left + part * (right - left)).toFixed(1)} ${top}V${foot}`).join("") || "M0 0");
    curves.forEach((curve, i) => curve.setAttribute("d", path(sets[i], places[i], high, low)));
    dots.forEach((dot, i) => {
      dot.setAttribute("cx", places[i][0] + (places[i][1] - places[i][0]) * Math.max(0, Math.min(1, marks[i].part)));
      dot.setAttribute("cy", low - (low - high) * Math.min(1, value));
      dot.style.display = marks[i].shown ? "" : "none";
    });
  };
  return { parts: [node("text", { x: left, y: top - 8, class: "dlw-strong" }, name), ...floors, ticks, ...curves, ...dots, ...texts], fill };
}

function drawing(spec, filters, width) {
  const at = board(width), unit = at.size / spec.side, svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const long = unit * spec.length, wide = unit * spec.width;
  const bar = node("rect", { class: "dlw-light", x: -long / 2, y: -wide / 2, width: long, height: wide, rx: 1.5 }), knob = node("circle", { class: "dlw-knob", cx: Math.min(long / 2, at.size / 2 - 20), r: 8 });
  const moved = node("g", {}, bar, knob), id = `dlw-${Math.random().toString(36).slice(2, 10)}`, screen = node("g", { transform: `translate(${at.left} ${at.top})` });
  screen.append(node("clipPath", { id }, node("rect", { width: at.size, height: at.size, rx: 6 })), node("rect", { class: "dlw-screen", width: at.size, height: at.size, rx: 6 }),
    node("g", { "clip-path": `url(#${id})` }, node("image", { class: "dlw-field", href: field(spec.side, filters), width: at.size, height: at.size }), moved), node("rect", { class: "dlw-grip", width: at.size, height: at.size }));
  const cells = spec.names.map((name, row) => cell(at, name, row));
  svg.append(node("text", { x: at.left, y: at.top - 14, class: "dlw-strong" }, "the screen, and the field of a cell"), screen, ...cells.flatMap((one) => one.parts));
  return { svg, at, unit, bar, moved, cells, screen, reach: Math.min(long / 2, at.size / 2 - 20) };
}

// Drag the bar by its middle or anywhere, turn it by its knob; `change` gets the new values.
function hands(picture, spec, width, values, change) {
  const { screen, at, unit, reach } = picture, grip = screen.querySelector(".dlw-grip"), last = (spec.side - 1) / 2;
  let turning = false, from = null;
  const place = (event) => {
    const box = picture.svg.getBoundingClientRect(), scale = width / box.width;
    return [(event.clientX - box.left) * scale - at.left - at.size / 2, (event.clientY - box.top) * scale - at.top - at.size / 2].map((v) => v / unit);
  };
  const nearest = (angle) => spec.parameters.angle.reduce((best, a) => (distance(a, angle) < distance(best, angle) ? a : best));
  const distance = (a, b) => Math.abs((((a - b) % 180) + 270) % 180 - 90);
  keptStill(grip);
  grip.addEventListener("pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    const [x, y] = place(event), now = values(), turn = (now.angle * Math.PI) / 180, end = [now.x + (reach / unit) * Math.cos(turn), now.y - (reach / unit) * Math.sin(turn)];
    turning = Math.hypot(x - end[0], y - end[1]) * unit < GRIP;
    from = [x - now.x, y - now.y];
    if (!turning && Math.hypot(...from) > spec.length / 2) { from = [0, 0]; move(event); }
  });
  const move = (event) => {
    const [x, y] = place(event), now = values();
    if (turning) change({ angle: nearest((Math.atan2(now.y - y, x - now.x) * 180) / Math.PI) });
    else change({ x: x - from[0], y: y - from[1] });
  };
  const held = (v) => Math.max(-last, Math.min(last, Math.round(v)));
  grip.addEventListener("pointermove", (event) => { if (event.buttons && from) move(event); });
  return { held };
}

async function render({ model, el }) {
  const spec = model.get("spec"), filters = await unpack(spec.filters), { content, say } = frame(model, el, "cortex"), keep = keeper(model), { angle: angles } = spec.parameters;
  const controls = parameterControls(model, keep), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  let picture = null, passing = null;  // where the bar is while it moves by itself
  const show = () => {
    const chosen = model.get("values"), now = { ...chosen, ...passing }, fired = answers(spec, filters, now), half = (spec.side - 1) / 2;
    const parts = spec.names.map((name, i) => `the ${name.replace(", ", " for ")} ${fired[i].toFixed(2)}`);
    verdict.textContent = `Answers, each as a part of the cell's best: ${parts.join(", ")}.`;
    if (!picture) return;
    const turned = angles.map((angle) => answers(spec, filters, { ...now, angle })), moved = across(spec, now.angle).map((there) => answers(spec, filters, { ...now, ...there }));
    const turn = (now.angle * Math.PI) / 180, off = now.x * Math.sin(turn) + now.y * Math.cos(turn), along = now.x * Math.cos(turn) - now.y * Math.sin(turn);
    picture.moved.setAttribute("transform", `translate(${picture.at.size / 2 + picture.unit * now.x} ${picture.at.size / 2 + picture.unit * now.y}) rotate(${-now.angle})`);
    picture.bar.classList.toggle("dlw-dark", now.bar === "dark");
    const marks = [{ part: angles.indexOf(now.angle) / (angles.length - 1), shown: true }, { part: (off + half) / (2 * half), shown: Math.abs(along) < 1 && Math.abs(off) <= half }];
    picture.cells.forEach((one, row) => one.fill(fired[row], [turned, moved].map((set) => set.map((v) => v[row])), marks));
  };
  const clock = player(SECONDS, 0.05, (part) => {
    const way = across(spec, model.get("values").angle), at = part * (way.length - 1), low = Math.min(way.length - 2, Math.floor(at)), mix = (key) => way[low][key] + (way[low + 1][key] - way[low][key]) * (at - low);
    passing = part < 1 ? { x: mix("x"), y: mix("y") } : null;
    show();
  }, "play: the bar moves across");
  const draw = () => {
    passing = null;
    controls.update();
    state.textContent = stateText(model.get("values"), spec.order);
    show();
    say(`${state.textContent}. ${verdict.textContent}`);
  };
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-playing" }, ...clock.elements), node("div", { class: "dlw-controls" }, ...controls.elements), state);
  draw();
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, filters, width);
    hold.replaceChildren(picture.svg);
    const { held } = hands(picture, spec, width, () => model.get("values"), (next) => {
      clock.stop();
      const values = { ...model.get("values"), ...next };
      keep("values", { ...values, x: held(values.x), y: held(values.y) });
    });
    show();
  });
  const stop = listen(model, ["change:values"], draw), unseen = onSight(hold, clock.start);
  return () => { clock.stop(); unseen(); unwatch(); stop(); };
}

export default { render };

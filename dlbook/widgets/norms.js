// A block of activations, cell by cell: click one, and see which cells share its mean.
import { bySign, frame, keeper, listen, node, parameterControls, stateText, three, number, unpack } from "./controls.js";
import { dragged, onWidth } from "./stage.js";
import { normalised } from "./norms_rules.js";

const KIND = "normalisation", GROUPS = "groups", IMAGES = "images in the batch", SHOW = "show";
const BINS = 31, DIM = 0.4, PER_GAP = 12;

// Where everything stands in a picture of this width; norms_still.py does the same.
export function layout(width, [N, C]) {
  const wide = width >= 640, pad = wide ? 20 : 10, top = wide ? 44 : 34, panel = wide ? Math.round(0.25 * width) : width - 2 * pad;
  const room = width - 2 * pad - (wide ? panel + 34 : 0), side = room / (C + 1 + (C + 1) / PER_GAP), step = side * (1 + 1 / PER_GAP);
  const down = N * step, high = wide ? top + 8 : top + down + 46, base = wide ? top + Math.max(down, 150) - 30 : high + 84;
  return { width, wide, top, side, step, picture: pad, left: pad + step + side / PER_GAP, across: C * step, down, bars: [width - pad - panel, width - pad], high, base, height: base + 36 };
}

const square = (x, y, side) => `M${x.toFixed(1)} ${y.toFixed(1)}h${side.toFixed(1)}v${side.toFixed(1)}h${(-side).toFixed(1)}Z`;

// The block as one picture with gaps: blue above 0, red below, dim where a cell does not share.
function blockPicture(shown, shares, limit, [N, C, H, W]) {
  const unit = PER_GAP, canvas = node("canvas", { width: C * W * (unit + 1), height: N * H * (unit + 1) }), context = canvas.getContext("2d");
  shown.forEach((v, i) => {
    if (Number.isNaN(v)) return;
    const w = i % W, h = Math.floor(i / W) % H, c = Math.floor(i / (W * H)) % C, n = Math.floor(i / (W * H * C));
    const alpha = Math.min(1, Math.abs(v) / limit) ** 0.6 * (shares(i) ? 1 : DIM);
    context.fillStyle = `rgba(${bySign(v)},${alpha})`;
    context.fillRect(c * W * (unit + 1) + w * unit, n * H * (unit + 1) + h * unit, unit, unit);
  });
  return canvas.toDataURL();
}

// Squares around the maps of which all cells share, and around the cells of the others.
function frames(shares, at, [N, C, H, W]) {
  const parts = [], unit = at.side / W;
  for (let n = 0; n < N; n++) for (let c = 0; c < C; c++) {
    const first = (n * C + c) * H * W, x = at.left + c * at.step, y = at.top + n * at.step, inside = [];
    for (let k = 0; k < H * W; k++) if (shares(first + k)) inside.push(k);
    if (inside.length === H * W) parts.push(square(x, y, at.side));
    else inside.forEach((k) => parts.push(square(x + (k % W) * unit, y + Math.floor(k / W) * unit, unit)));
  }
  return parts.join("") || "M0 0";
}

function drawing(spec, width) {
  const at = layout(width, spec.shape), [N, C] = spec.shape, svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const maps = (n) => Array.from({ length: C }, (_, c) => square(at.left + c * at.step, at.top + n * at.step, at.side)).join("");
  const rows = spec.pictures.map((href, n) => node("g", {}, node("image", { href, class: "dlw-pixels", x: at.picture, y: at.top + n * at.step, width: at.side, height: at.side }), node("path", { class: "dlw-map", d: maps(n) })));
  const block = node("image", { class: "dlw-pixels dlw-cells", x: at.left, y: at.top, width: at.across, height: at.down, preserveAspectRatio: "none" });
  const shared = node("path", { class: "dlw-shared" }), here = node("rect", { class: "dlw-cell" });
  const [left, right] = at.bars, bars = node("path", { class: "dlw-bars" }), mean = node("path", { class: "dlw-mean" }), dot = node("circle", { class: "dlw-dot", r: 6, cy: at.base });
  const count = node("text", { class: "dlw-strong", x: left, y: at.high - 20 });
  const ticks = ["start", "middle", "end"].map((anchor, i) => node("text", { x: left + ((right - left) * i) / 2, y: at.base + 18, "text-anchor": anchor }));
  svg.append(node("text", { class: "dlw-strong", x: at.left, y: at.top - 12 }, at.wide ? `${C} channels of ${N} images` : `${C} channels`), ...rows, block, shared, here,
    count, node("path", { class: "dlw-ground", d: `M${left} ${at.base}H${right}` }), bars, mean, dot, ...ticks);
  return { svg, at, rows, block, shared, here, bars, mean, dot, count, ticks };
}

// The values of the cells that share, as bars.
function showSpread(picture, values, value, limit) {
  const { at } = picture, [left, right] = at.bars, unit = (right - left) / BINS, counts = new Array(BINS).fill(0), high = at.base - at.high;
  const x = (v) => left + ((right - left) * (Math.max(-1, Math.min(1, v / limit)) + 1)) / 2;
  values.forEach((v) => { counts[Math.max(0, Math.min(BINS - 1, Math.floor(((v / limit + 1) / 2) * BINS)))] += 1; });
  const most = Math.max(...counts), middle = values.reduce((sum, v) => sum + v, 0) / values.length;
  picture.bars.setAttribute("d", counts.map((n, k) => (n ? `M${(left + k * unit + 0.5).toFixed(1)} ${at.base}v${(-high * n / most).toFixed(1)}h${(unit - 1).toFixed(1)}V${at.base}Z` : "")).join(""));
  picture.mean.setAttribute("d", `M${x(middle).toFixed(1)} ${at.base}V${at.high - 8}`);
  picture.dot.setAttribute("cx", x(value));
  picture.count.textContent = `${values.length} cells share`;
  [-limit, 0, limit].forEach((v, i) => { picture.ticks[i].textContent = number(v, 2); });
}

// Which cells share, in words.
function whose(kind, groups, images, [, C], [n, c, h, w]) {
  const size = C / groups, first = Math.floor(c / size) * size, image = `image ${n + 1}`, all = "at every place";
  if (kind === "batch") return `channel ${c + 1} of ${images === 1 ? "the only image" : `all ${images} images`}, ${all}`;
  if (kind === "instance" || (kind === "group" && size === 1)) return `channel ${c + 1} of ${image}, ${all}`;
  if (kind === "group") return `channels ${first + 1} to ${first + size} of ${image}, ${all}`;
  return `all channels of ${image} at row ${h + 1}, column ${w + 1}`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), block = await unpack(spec.block), { shape } = spec, [, C, H, W] = shape, { content, say } = frame(model, el, "norms"), keep = keeper(model);
  const used = (name) => name !== GROUPS || model.get("values")[KIND] === "group", controls = parameterControls(model, keep, used);
  const verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" }), most = 3 * Math.sqrt(block.reduce((sum, v) => sum + v * v, 0) / block.length) || 1;
  let picture = null;
  const lastRow = () => model.get("values")[IMAGES] * H - 1;
  const place = () => { const row = model.get("row"), column = model.get("column"); return [Math.min(Math.floor(row / H), model.get("values")[IMAGES] - 1), Math.floor(column / W), row % H, column % W]; };
  const draw = () => {
    const values = model.get("values"), made = normalised(block, values[KIND], values[GROUPS], values[IMAGES], shape), cell = place(), [n, c, h, w] = cell, i = ((n * C + c) * H + h) * W + w;
    const { count, mean, deviation } = made.by.get(made.key[i]), shares = (k) => k < made.inside && made.key[k] === made.key[i], shown = values[SHOW] === "after" ? made.after : block.map((v, k) => (k < made.inside ? v : NaN));
    const limit = values[SHOW] === "after" ? 3 : most, centre = values[KIND] === "RMS" ? `Root mean square ${three(deviation)}` : `Mean ${three(mean)}, deviation ${three(deviation)}`;
    controls.update();
    state.textContent = stateText(values, spec.order);
    verdict.textContent = `${count} cells share: ${whose(values[KIND], values[GROUPS], values[IMAGES], shape, cell)}. ${centre}. This cell, ${three(block[i])}, becomes ${three(made.after[i])}.`;
    grip.setAttribute("aria-valuenow", i + 1);
    grip.setAttribute("aria-valuetext", `image ${n + 1}, channel ${c + 1}, row ${h + 1}, column ${w + 1}: ${three(shown[i])}`);
    say(verdict.textContent);
    if (!picture) return;
    const { at } = picture, unit = at.side / W;
    picture.rows.forEach((row, k) => row.classList.toggle("dlw-out", k >= values[IMAGES]));
    picture.block.setAttribute("href", blockPicture(shown, shares, limit, shape));
    picture.shared.setAttribute("d", frames(shares, at, shape));
    Object.entries({ x: at.left + c * at.step + w * unit, y: at.top + n * at.step + h * unit, width: unit, height: unit }).forEach(([key, v]) => picture.here.setAttribute(key, v));
    showSpread(picture, Array.from(shown).filter((_, k) => shares(k)), shown[i], limit);
  };
  const go = (row, column) => {
    const to = { row: Math.max(0, Math.min(lastRow(), row)), column: Math.max(0, Math.min(C * W - 1, column)) };
    Object.entries(to).forEach(([name, v]) => { if (v !== model.get(name)) keep(name, v); });
  };
  const pointed = (event) => {
    const box = grip.getBoundingClientRect(), part = (v, size, count, cells) => { const each = size / count, k = Math.max(0, Math.min(count - 1, Math.floor(v / each))); return k * cells + Math.max(0, Math.min(cells - 1, Math.floor(((v - k * each) / each) * (1 + 1 / PER_GAP) * cells))); };
    go(part(event.clientY - box.top, box.height, shape[0], H), part(event.clientX - box.left, box.width, C, W));
  };
  const grip = node("div", { class: "dlw-block", role: "slider", tabindex: "0", "aria-label": "cell", "aria-valuemin": 1, "aria-valuemax": block.length,
    onkeydown: (event) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-H, 0], PageDown: [H, 0], Home: [0, -W], End: [0, W] }[event.key];
      if (!by || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const [n, c, h, w] = place();
      go(n * H + h + by[0], c * W + w + by[1]);
    } });
  dragged(grip, pointed);
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), state);
  draw();
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width);
    const { at } = picture, part = (v, whole) => `${(100 * v) / whole}%`;
    Object.assign(grip.style, { left: part(at.left, width), top: part(at.top, at.height), width: part(at.across, width), height: part(at.down, at.height) });
    hold.replaceChildren(picture.svg, grip);
    draw();
  });
  const stop = listen(model, ["change:values", "change:row", "change:column"], draw);
  return () => { unwatch(); stop(); };
}

export default { render, normalised };

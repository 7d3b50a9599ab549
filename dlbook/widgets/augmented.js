// A picture, an augmentation and its strength: the result, and the place that the chosen pixel is taken from.
import { frame, inflatedBytes, keeper, listen, node, number, parameterControls, stateText, three } from "./controls.js";
import { dragged, onWidth } from "./stage.js";
import { changed, erases, hole, moves, neighbours, source } from "./augmented_rules.js";

const PICTURE = "picture", KIND = "augmentation", STRENGTH = "strength", MODE = "interpolation";

// Where both pictures stand in a drawing of this width; augmented_still.py does the same.
export function layout(width) {
  const wide = width >= 640, pad = wide ? 24 : 10, gap = wide ? 44 : 14, top = 38, side = Math.min(400, (width - 2 * pad - gap) / 2);
  const left = (width - 2 * side - gap) / 2;
  return { width, top, side, left, right: left + side + gap, height: top + side + pad };
}

// Values in [0, 1], row by row, from differences to the pixel above, channel by channel.
async function unpacked(text, side) {
  const bytes = await inflatedBytes(text), values = new Float64Array(bytes.length), area = side * side;
  for (let k = 0; k < 3; k++) for (let i = 0; i < area; i++) {
    if (i >= side) bytes[k * area + i] += bytes[k * area + i - side];
    values[3 * i + k] = bytes[k * area + i] / 255;
  }
  return values;
}

// The picture as an address that an image can have.
function address(values, side) {
  const canvas = node("canvas", { width: side, height: side }), context = canvas.getContext("2d"), data = context.createImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    for (let k = 0; k < 3; k++) data.data[4 * i + k] = Math.floor(values[3 * i + k] * 255 + 0.5);
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
  return canvas.toDataURL();
}

const square = ([row, column]) => `M${column} ${row}h1v1h-1Z`;

// The frame of the result as it lies in the picture.
function corners(kind, s, side) {
  const all = [[-0.5, -0.5], [-0.5, side - 0.5], [side - 0.5, side - 0.5], [side - 0.5, -0.5]].map((corner) => source(kind, s, side, corner));
  return `M${all.map(([row, column]) => `${(column + 0.5).toFixed(2)} ${(row + 0.5).toFixed(2)}`).join("L")}Z`;
}

function drawing(width) {
  const at = layout(width), svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const [before, after] = [[at.left, "the picture"], [at.right, "the result"]].map(([x, words]) => {
    const image = node("image", { class: "dlw-pixels" }), outline = node("path", { class: "dlw-outline" }), here = node("path", { class: "dlw-here" });
    const box = node("svg", { x, y: at.top, width: at.side, height: at.side }, image, outline, here);
    svg.append(node("text", { class: "dlw-strong", x, y: at.top - 12 }, words), box);
    return { box, image, outline, here };
  });
  const fill = (part, side, href) => {
    part.box.setAttribute("viewBox", `0 0 ${side} ${side}`);
    Object.entries({ href, width: side, height: side }).forEach(([name, v]) => part.image.setAttribute(name, v));
  };
  return { svg, at, before, after, fill };
}

const amount = (v) => number(Number(v.toFixed(4)), 3), colour = (values, i) => `(${[0, 1, 2].map((k) => values[3 * i + k].toFixed(2)).join(", ")})`;

// What the augmentation does at this strength, in words.
function doing(kind, s, side, place) {
  const [top, bottom, left, right] = erases(kind) ? hole(kind, s, side, place) : [];
  return {
    rotation: `Turned by ${amount(180 * Math.abs(s))}° ${s < 0 ? "clockwise" : "anticlockwise"}`, shift: `Moved by ${amount(Math.abs((s * side) / 2))} pixels to the ${s < 0 ? "left" : "right"}`,
    scaling: `${amount(3 ** s)} times as large`, shear: `Slanted by ${amount(45 * s)}°`, flip: "Mirrored", brightness: `Brightness times ${amount(1 + s)}`, contrast: `Contrast times ${amount(1 + s)}`,
    saturation: `Saturation times ${amount(1 + s)}`, hue: `Hue turned by ${amount(s / 2)} of the circle`, "PCA colour": `Shifted along the first axis of the colours by α = ${amount(s)}`,
    "Gaussian noise": `Noise with standard deviation ${amount(Math.abs(s) / 2)}`, "salt and pepper": `${amount(100 * Math.abs(s))} % of the pixels white or black`,
    cutout: `A black square, ${bottom - top} by ${right - left} pixels are in the picture`, "random erasing": `A box of ${bottom - top} by ${right - left} random pixels`,
  }[kind];
}

async function render({ model, el }) {
  const spec = model.get("spec"), pictures = await Promise.all(spec.pixels.map((text, i) => unpacked(text, spec.sides[i])));
  const { content, say } = frame(model, el, "augmented"), keep = keeper(model), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  const used = (name) => { const kind = model.get("values")[KIND]; return name === MODE ? moves(kind) && kind !== "flip" : name !== STRENGTH || kind !== "flip"; };
  const controls = parameterControls(model, keep, used);
  let picture = null;
  const which = () => spec.parameters[PICTURE].indexOf(model.get("values")[PICTURE]), most = Math.max(...spec.sides);
  const place = () => ["row", "column"].map((name) => Math.floor((model.get(name) * spec.sides[which()]) / most));
  const words = (values, result, i, here) => {
    const [kind, s] = [values[KIND], values[STRENGTH]], side = spec.sides[which()], [row, column] = source(kind, s, side, here), begin = doing(kind, s, side, here);
    if (!moves(kind)) return `${begin}. The pixel in row ${here[0]}, column ${here[1]} stays in its place; its colour ${colour(pictures[which()], i)} becomes ${colour(result, i)}.`;
    const told = `${begin}. The pixel in row ${here[0]}, column ${here[1]} of the result asks row ${three(row)}, column ${three(column)} of the picture`;
    return [row, column].some((v) => v < -0.5 || v > side - 0.5) ? `${told}. Nothing is there, so it is black.` : `${told}, and gets the colour ${colour(result, i)}.`;
  };
  const draw = () => {
    const values = model.get("values"), side = spec.sides[which()], here = place(), i = here[0] * side + here[1], [kind, s] = [values[KIND], values[STRENGTH]];
    const result = changed(pictures[which()], side, kind, s, here, values[MODE], spec.axes[which()]);
    controls.update();
    state.textContent = stateText(values, spec.order);
    verdict.textContent = words(values, result, i, here);
    grip.setAttribute("aria-valuemax", side * side);
    grip.setAttribute("aria-valuenow", i + 1);
    grip.setAttribute("aria-valuetext", `row ${here[0]}, column ${here[1]}: ${colour(result, i)}`);
    say(verdict.textContent);
    if (!picture) return;
    const { before, after, fill } = picture, asked = moves(kind) ? neighbours(source(kind, s, side, here), values[MODE]).filter(([, , weight]) => weight > 0) : [here];
    fill(before, side, address(pictures[which()], side));
    fill(after, side, address(result, side));
    before.outline.setAttribute("d", moves(kind) ? corners(kind, s, side) : "M0 0");
    before.here.setAttribute("d", asked.map(square).join(""));
    after.here.setAttribute("d", square(here));
  };
  const go = (to) => {
    const side = spec.sides[which()], now = place();
    ["row", "column"].forEach((name, k) => { const v = Math.max(0, Math.min(side - 1, to[k])); if (v !== now[k]) keep(name, Math.ceil((v * most) / side)); });
  };
  const pointed = (event) => {
    const box = grip.getBoundingClientRect(), side = spec.sides[which()];
    go([Math.floor(((event.clientY - box.top) / box.height) * side), Math.floor(((event.clientX - box.left) / box.width) * side)]);
  };
  const grip = node("div", { class: "dlw-grip", role: "slider", tabindex: "0", "aria-label": "pixel of the result", "aria-valuemin": 1,
    onkeydown: (event) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-8, 0], PageDown: [8, 0], Home: [0, -8], End: [0, 8] }[event.key];
      if (!by || event.metaKey || event.ctrlKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      go(place().map((v, k) => v + by[k]));
    } });
  dragged(grip, pointed);
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), state);
  draw();
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(width);
    const { at } = picture, part = (v, whole) => `${(100 * v) / whole}%`;
    Object.assign(grip.style, { left: part(at.right, width), top: part(at.top, at.height), width: part(at.side, width), height: part(at.side, at.height) });
    hold.replaceChildren(picture.svg, grip);
    draw();
  });
  const stop = listen(model, ["change:values", "change:row", "change:column"], draw);
  return () => { unwatch(); stop(); };
}

export default { render };

// One picture, dragged over a dark field, and what several networks say of it there; each has a map of where it is right.
import { frame, inflatedBytes, keeper, listen, node, parameterControls, stateText, three } from "./controls.js";
import { dragged, onWidth } from "./stage.js";

const PICTURE = "picture", RIGHT = "to the right", DOWN = "down";

// Where everything stands in a picture of this width; shift_still.py does the same.
export function desk(width, models, classes) {
  const wide = width >= 640, pad = wide ? 24 : 12, gap = wide ? 40 : 20;
  const field = wide ? Math.min(340, width * 0.36) : Math.min(240, width - 2 * pad), left = wide ? pad : (width - field) / 2;
  const start = wide ? left + field + gap : pad, each = (width - pad - start - (models - 1) * gap) / models, top = wide ? 62 : 30 + field + 82;
  const side = Math.min(each, wide ? 206 : 150), base = top + side + (wide ? 108 : 98), head = wide ? 30 : top - 32;
  return { width, wide, field, left, fieldTop: wide ? 30 : 20, side, top, head, tall: wide ? 66 : 56, base, bar: each / classes, x: (m) => start + m * (each + gap), height: base + 30 };
}

// The class that a network gives at a place, and how sure it is.
function said(spec, bytes, model, picture, at) {
  const from = ((model * spec.truths.length + picture) * spec.side ** 2 + at) * spec.classes, p = Array.from(bytes.subarray(from, from + spec.classes), (b) => b / 255);
  const best = p.indexOf(Math.max(...p));
  return { p, best, sure: p[best], right: best === spec.truths[picture] };
}

function column(spec, at, m) {
  const x = at.x(m), cell = at.side / spec.side, count = node("text", { x: x + at.side, y: at.top + at.side + 18, "text-anchor": "end", class: "dlw-strong" });
  const cells = Array.from({ length: spec.side ** 2 }, () => node("path", {})), here = node("rect", { class: "dlw-here", width: cell + 3, height: cell + 3 });
  const bars = Array.from({ length: spec.classes }, (_, k) => node("rect", { class: "dlw-bar", x: x + at.bar * (k + 0.14), width: at.bar * 0.72 }));
  const names = bars.map((_, k) => node("text", { x: x + at.bar * (k + 0.5), y: at.base + 17, "text-anchor": "middle" }, String(k)));
  const words = [node("text", { x, y: at.head, class: "dlw-loud dlw-strong" }, spec.names[m]), node("text", { x, y: at.head + 19 }, spec.notes[m]),
    node("text", { x, y: at.top + at.side + 18 }, at.wide ? "right at" : "")];
  const grid = node("g", { class: "dlw-map" }, node("rect", { class: "dlw-ground", x, y: at.top, width: at.side, height: at.side }), ...cells, here);
  const colour = (results) => results.forEach((one, i) => {
    const size = one.right ? cell + 0.3 : cell * 0.42, [r, c] = [Math.floor(i / spec.side), i % spec.side];
    cells[i].setAttribute("d", `M${(x + c * cell + (cell - size) / 2).toFixed(1)} ${(at.top + r * cell + (cell - size) / 2).toFixed(1)}h${size.toFixed(1)}v${size.toFixed(1)}h${-size.toFixed(1)}Z`);
    cells[i].setAttribute("class", one.right ? "dlw-right" : "dlw-wrong");
    cells[i].setAttribute("fill-opacity", one.right ? (0.3 + 0.7 * one.sure).toFixed(2) : 0.9);
  });
  const show = (now, place) => {
    now.p.forEach((p, k) => {
      bars[k].setAttribute("height", Math.max(1.5, at.tall * p));
      bars[k].setAttribute("y", at.base - Math.max(1.5, at.tall * p));
      bars[k].classList.toggle("dlw-chosen", k === now.best);
      bars[k].classList.toggle("dlw-bad", k === now.best && !now.right);
      names[k].classList.toggle("dlw-chosen", k === now.best);
    });
    here.setAttribute("x", x + (place % spec.side) * cell - 1.5);
    here.setAttribute("y", at.top + Math.floor(place / spec.side) * cell - 1.5);
  };
  return { grid, parts: [...words, count, grid, node("path", { class: "dlw-base", d: `M${x} ${at.base}h${at.bar * spec.classes}` }), ...bars, ...names], colour, show, count };
}

function drawing(spec, width) {
  const at = desk(width, spec.names.length, spec.classes), pixel = at.field / spec.field, svg = node("svg", { viewBox: `0 0 ${width} ${at.height}`, "aria-hidden": "true" });
  const box = { x: at.left, y: at.fieldTop, width: at.field, height: at.field }, view = `0 0 ${at.field} ${at.field}`;
  const image = node("image", { href: spec.atlas, width: at.field * spec.truths.length, height: at.field, class: "dlw-view", preserveAspectRatio: "none" });
  const digit = node("svg", { width: at.field, height: at.field, viewBox: view }, image);  // an svg within an svg cuts off what is outside of it
  const middle = spec.middle * pixel, edge = (at.field - middle) / 2, ground = node("rect", { class: "dlw-ground dlw-grip", ...box, rx: 4 });
  const home = node("rect", { class: "dlw-home", x: at.left + edge, y: at.fieldTop + edge, width: middle, height: middle });
  const columns = spec.names.map((_, m) => column(spec, at, m));
  const told = node("text", { x: at.left + at.field / 2, y: at.fieldTop + at.field + 20, "text-anchor": "middle" }, "drag the picture; dashed: where it was learnt");
  svg.append(ground, node("svg", { ...box, viewBox: view, class: "dlw-through" }, digit), home, told, ...columns.flatMap((one) => one.parts));
  const look = (which, right, down) => { image.setAttribute("x", -which * at.field); digit.setAttribute("x", right * pixel); digit.setAttribute("y", down * pixel); };
  return { svg, at, pixel, look, ground, columns };
}

async function render({ model, el }) {
  const spec = model.get("spec"), bytes = await inflatedBytes(spec.data), { content, say } = frame(model, el, "shift"), keep = keeper(model), reach = (spec.side - 1) / 2;
  const controls = parameterControls(model, keep), verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  let picture = null, drawn = -1;
  content.append(node("div", { class: "dlw-stage" }, hold), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), state);
  const number = () => spec.parameters[PICTURE].indexOf(model.get("values")[PICTURE]);
  const draw = () => {
    const values = model.get("values"), [right, down] = [values[RIGHT], values[DOWN]], place = (down + reach) * spec.side + right + reach, which = number();
    const now = spec.names.map((_, m) => said(spec, bytes, m, which, place));
    controls.update();
    state.textContent = stateText(values, spec.order);
    verdict.textContent = `Moved ${right} to the right and ${down} down: `.replaceAll("-", "−") + now.map((one, m) => `${spec.names[m].toLowerCase()} says ${one.best} (${three(one.sure)}), ${one.right ? "rightly" : "wrongly"}`).join("; ") + ".";
    if (picture) {
      const { columns } = picture;
      picture.look(which, right, down);
      if (drawn !== which) {
        drawn = which;
        columns.forEach((one, m) => {
          const results = Array.from({ length: spec.side ** 2 }, (_, i) => said(spec, bytes, m, which, i));
          one.colour(results);
          one.count.textContent = `${results.filter((r) => r.right).length} of ${results.length} places`;
        });
      }
      columns.forEach((one, m) => one.show(now[m], place));
    }
    say(verdict.textContent);
  };
  const move = (right, down) => {
    const values = model.get("values"), held = (v) => Math.max(-reach, Math.min(reach, Math.round(v))) + 0, next = { ...values, [RIGHT]: held(right), [DOWN]: held(down) };
    if (next[RIGHT] !== values[RIGHT] || next[DOWN] !== values[DOWN]) keep("values", next);
  };
  // The picture is taken along from where it was gripped; a map is pointed at.
  const listenToPointer = () => {
    let from = null;
    dragged(picture.ground, (event, first) => {
      const values = model.get("values"), scale = picture.at.width / picture.svg.getBoundingClientRect().width / picture.pixel;
      if (first) from = [event.clientX * scale - values[RIGHT], event.clientY * scale - values[DOWN]];
      move(event.clientX * scale - from[0], event.clientY * scale - from[1]);
    });
    picture.columns.forEach((one) => dragged(one.grid, (event) => {
      const box = one.grid.querySelector(".dlw-ground").getBoundingClientRect(), place = (v) => Math.floor(v * spec.side) - reach;
      move(place((event.clientX - box.left) / box.width), place((event.clientY - box.top) / box.height));
    }));
  };
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width);
    drawn = -1;
    hold.replaceChildren(picture.svg);
    listenToPointer();
    draw();
  });
  const stop = listen(model, ["change:values"], draw);
  draw();
  return () => { unwatch(); stop(); };
}

export default { render };

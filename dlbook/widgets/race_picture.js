// The map with the balls of six methods, their losses over the updates, and the loss at the end against the rate. race_still.py draws the same.
import { identity, node, number } from "./controls.js";
import { path, place } from "./square.js";
import { power } from "./stage.js";
import { METHODS } from "./race_rules.js";

export const REACH = 2;  // the map shows -2 to 2 in both weights
const UNIT = 500;
// A shape for each method, so that it is known without its colour; by the order of METHODS.
const SHAPES = ["M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z", "M-4.5 -4.5H4.5V4.5H-4.5Z", "M0 -6 5.4 4.2H-5.4Z", "M0 -6.4 6.4 0 0 6.4 -6.4 0Z", "M-6 -2H-2V-6H2V-2H6V2H2V6H-2V2H-6Z", "M0 6 5.4 -4.2H-5.4Z"];

// Where everything stands in a picture of this width.
export function chart(width) {
  const wide = width >= 640, side = wide ? Math.min(500, width * 0.52) : width - 16, left = wide ? 12 : 8, top = wide ? 46 : 72;
  const x = wide ? left + side + 62 : 46, right = width - (wide ? 20 : 14), high = wide ? (side - 136) / 2 : 130;
  const first = wide ? top + 18 : top + side + 34;
  return { width, wide, side, left, top, reach: REACH, x, right, high, panels: [first, first + high + 74], height: (wide ? top + side : first + 2 * high + 74 + 44) + 12 };
}

const text = (x, y, words, kind = "", anchor = "start") => node("text", { x: x.toFixed(1), y: y.toFixed(1), class: kind, "text-anchor": anchor }, words);

// Pixels of a loss in a chart whose top is at `y`, held inside it.
const up = (at, y, [low, high], loss) => y + at.high - (at.high * (Math.max(low, Math.min(high, Math.log10(Math.max(loss, 1e-99)))) - low)) / (high - low);
const across = (at, rates, rate) => at.x + ((at.right - at.x) * Math.log(rate / rates[0])) / Math.log(rates.at(-1) / rates[0]);

// What stays while the balls roll: the map of a surface, the axes, the names.
export function drawing(at, surface, rates, updates) {
  const svg = node("svg", { viewBox: `0 0 ${at.width} ${at.height.toFixed(0)}`, "aria-hidden": "true" }), id = identity(), [low, high] = surface.range, step = at.wide ? 2 : 4;
  const land = node("g", { transform: `translate(${at.left} ${at.top}) scale(${at.side / UNIT})` }, ...surface.rings.toReversed().map((d) => node("path", { class: "dlw-ringed", d })));
  const rolls = METHODS.map((name, i) => ({ line: node("path", { class: `dlw-roll dlw-m${i}` }), ball: node("path", { class: `dlw-ball dlw-m${i}`, d: SHAPES[i] }),
    loss: node("path", { class: `dlw-roll dlw-m${i}` }), sweep: node("path", { class: `dlw-roll dlw-m${i}` }), best: node("path", { class: `dlw-ball dlw-m${i}`, d: SHAPES[i] }) }));
  const drop = node("path", { class: "dlw-drop", d: "M-9 0H9M0 -9V9" }), now = node("path", { class: "dlw-rate-now" }), count = text(at.left + 12, at.top + at.side - 14, "", "dlw-loud dlw-strong dlw-count");
  const word = text(at.left + at.side / 2, at.top + at.side * 0.2, "", "dlw-word", "middle");
  const each = at.wide ? (at.width - 40) / 6 : (at.width - 16) / 3;
  const names = METHODS.map((name, i) => { const [x, y] = at.wide ? [at.left + 8 + i * each, 24] : [at.left + 8 + (i % 3) * each, 24 + 24 * Math.floor(i / 3)];
    return node("g", { class: `dlw-name dlw-m${i}` }, node("path", { d: SHAPES[i], class: "dlw-ball", transform: `translate(${x} ${y - 4})` }), text(x + 12, y, name, "dlw-strong")); });
  const lines = at.panels.flatMap((y, k) => [...Array.from({ length: (high - low) / step + 1 }, (_, i) => low + step * i).flatMap((e) => [node("path", { class: "dlw-gauge", d: `M${at.x} ${up(at, y, surface.range, 10 ** e).toFixed(1)}H${at.right}` }), text(at.x - 7, up(at, y, surface.range, 10 ** e) + 4, power(e), "", "end")]),
    text(at.x - 38, y - 10, ["loss", `loss after ${updates} updates, by the rate`][k], "dlw-strong")]);
  const decades = Array.from({ length: Math.floor(Math.log10(rates.at(-1)) + 1e-9) - Math.ceil(Math.log10(rates[0]) - 1e-9) + 1 }, (_, i) => Math.ceil(Math.log10(rates[0]) - 1e-9) + i);
  const feet = [...[0, updates / 2, updates].map((t) => text(at.x + ((at.right - at.x) * t) / updates, at.panels[0] + at.high + 18, String(Math.round(t)), "", "middle")), text((at.x + at.right) / 2, at.panels[0] + at.high + 34, "updates", "", "middle"),
    ...decades.map((e) => text(across(at, rates, 10 ** e), at.panels[1] + at.high + 18, number(10 ** e), "", "middle")), text((at.x + at.right) / 2, at.panels[1] + at.high + 34, "learning rate", "", "middle")];
  svg.append(node("clipPath", { id }, node("rect", { x: at.left, y: at.top, width: at.side, height: at.side, rx: 8 })),
    node("g", { "clip-path": `url(#${id})` }, node("rect", { class: "dlw-land", x: at.left, y: at.top, width: at.side, height: at.side }), land, drop, ...rolls.map((r) => r.line), ...rolls.map((r) => r.ball), count, word),
    ...names, ...lines, ...feet, now, ...rolls.flatMap((r) => [r.sweep, r.loss, r.best]));
  return { svg, at, rolls, drop, now, count, word, names };
}

// The picture after `time` updates, which need not be whole. `runs` are by method: { places, losses, lost, ends, best, rate }.
export function show(picture, surface, rates, updates, runs, chosen, hidden, time) {
  const { at, rolls } = picture, [top, below] = at.panels;
  METHODS.forEach((name, i) => {
    const { places, losses, lost, ends, best } = runs[i], last = places.length - 1, t = Math.min(last, Math.floor(time + 1e-6)), part = Math.min(1, time - t), next = places[Math.min(t + 1, last)];
    const here = places[t].map((v, k) => v + (next[k] - v) * part), gone = lost && time >= last, off = hidden && name !== chosen, mine = name === chosen;
    const near = ([x, y]) => place(at, [Math.max(-9, Math.min(9, x)), Math.max(-9, Math.min(9, y))]);
    const [bx, by] = near(here), lit = rolls[i];
    lit.line.setAttribute("d", path([...places.slice(0, t + 1), here].map(near)));
    lit.ball.setAttribute("transform", `translate(${bx.toFixed(1)} ${by.toFixed(1)}) scale(${mine ? 1.7 : 1})`);
    lit.loss.setAttribute("d", path(losses.slice(0, t + 1).map((loss, k) => [at.x + ((at.right - at.x) * k) / updates, up(at, top, surface.range, loss)])));
    const seen = ends.map((loss, k) => [loss, rates[k]]).filter(([loss]) => loss < 10 ** surface.range[1]);
    lit.sweep.setAttribute("d", path(seen.map(([loss, rate]) => [across(at, rates, rate), up(at, below, surface.range, loss)])));
    lit.best.setAttribute("transform", `translate(${across(at, rates, best).toFixed(1)} ${up(at, below, surface.range, Math.min(...ends)).toFixed(1)}) scale(${mine ? 1.3 : 0.8})`);
    for (const part_ of Object.values(lit)) { part_.classList.toggle("dlw-off", off); part_.classList.toggle("dlw-mine", mine); }
    picture.names[i].classList.toggle("dlw-mine", mine);
    picture.names[i].classList.toggle("dlw-dull", off);
    if (mine) {
      picture.word.textContent = gone ? "lost" : "";
      [lit.line, lit.ball].forEach((part_) => part_.parentNode.insertBefore(part_, picture.count));
      const rate = across(at, rates, runs[i].rate), dot = up(at, below, surface.range, ends[rates.indexOf(runs[i].rate)]);
      picture.now.setAttribute("d", `M${rate.toFixed(1)} ${below}V${below + at.high}M${(rate - 6).toFixed(1)} ${dot.toFixed(1)}h12`);
    }
  });
  const [x, y] = place(at, runs[0].places[0]);
  picture.drop.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  const t = Math.floor(time + 1e-6);
  picture.count.textContent = `after ${t} ${t === 1 ? "update" : "updates"}`;
}

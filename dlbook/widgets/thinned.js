// A small network on a digit: its units drop at each press, and what the thinned networks say becomes a cloud.
import { button, frame, keeper, listen, node, number, parameterControls, stateText, unpack } from "./controls.js";
import { onWidth, player, reader } from "./stage.js";
import { drawing, show } from "./thinned_picture.js";
import { masks, network, run } from "./thinned_rule.js";

const COUNT = "thinned networks", SECONDS = 16, NEAR = 16;
const best = (probs) => probs.reduce((top, p, k) => (p > probs[top] ? k : top), 0);
const two = (p) => number(Number(p.toFixed(2)));

// What stands in the picture, from the values and the units that were switched by hand.
function state(spec, nets, drawn, values, flipped) {
  const digit = spec.parameters.digit.indexOf(values.digit), net = nets[spec.parameters.network.indexOf(values.network)], count = values[COUNT], scale = 1 / (1 - spec.drop_prob);
  const all = drawn[0].map(() => true), there = (count ? drawn[count - 1] : all).map((on, i) => on !== flipped.includes(i)), votes = drawn.slice(0, count).map((mask) => run(net, digit, mask, scale).probs);
  const mean = spec.classes.map((_, k) => votes.reduce((sum, vote) => sum + vote[k], 0) / Math.max(1, count));
  return { digit, net, count, there, votes, mean, whole: run(net, digit, all, 1).probs, now: run(net, digit, there, count ? scale : 1) };
}

function sentence(spec, { count, there, votes, mean, whole, now }, flipped) {
  const says = (probs) => `says ${spec.classes[best(probs)]} with ${two(probs[best(probs)])}`, top = best(whole), on = there.filter(Boolean).length;
  const hand = flipped.length ? ` Switched by hand: ${flipped.length}.` : "", same = votes.filter((vote) => best(vote) === top).length;
  if (!count) return `The whole network ${says(whole)}.${flipped.length ? ` With ${on} of ${there.length} units it ${says(now.probs)}.` : ""}`;
  return `Thinned network ${count} has ${on} of ${there.length} units and ${says(now.probs)}.${hand} The whole network says ${spec.classes[top]} with ${two(whole[top])}; so ${same === 1 ? "does" : "do"} ${same} of ${count}, and the mean gives it ${two(mean[top])}.`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), numbers = await unpack(spec.numbers), { content, say } = frame(model, el, "thinned"), keep = keeper(model);
  const nets = spec.parameters.network.map((_, at) => network(spec, numbers, at)), drawn = masks(spec), controls = parameterControls(model, keep);
  const verdict = node("p", { class: "dlw-verdict" }), words = node("p", { class: "dlw-state" }), hold = node("div", { class: "dlw-hold" });
  let picture = null, chosen = null;
  const now = () => state(spec, nets, drawn, model.get("values"), model.get("flipped"));
  const go = (count) => keep("values", { ...model.get("values"), [COUNT]: Math.max(0, Math.min(spec.most, count)) });
  const flip = (i) => { const before = model.get("flipped"); keep("flipped", before.includes(i) ? before.filter((u) => u !== i) : [...before, i].sort((a, b) => a - b)); };
  const told = (i) => `unit ${i < spec.widths[0] ? i + 1 : i - spec.widths[0] + 1} of hidden layer ${i < spec.widths[0] ? 1 : 2}: ${now().there[i] ? "on" : "dropped"}; Enter switches it`;
  const read = reader("hidden units", spec.widths[0] + spec.widths[1], told, (at) => {
    chosen = at;
    if (!picture) return;
    const unit = picture.units[at ?? 0];
    picture.here.setAttribute("cx", unit.cx);
    picture.here.setAttribute("cy", unit.cy);
    picture.here.setAttribute("visibility", at === null ? "hidden" : "visible");
  });
  const clock = player(SECONDS, 1 / spec.most, (part) => go(Math.round(part * spec.most)), "play: drop again and again");
  const again = button("next", "drop at random: the next thinned network", () => { clock.stop(); go(model.get("values")[COUNT] + 1); }, "drop at random");
  const back = button("first", "the whole network", () => { clock.stop(); keep("flipped", []); go(0); }, "whole network");
  read.element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    flip(chosen ?? 0);
  });
  let before = null;  // the values at the last drawing: another network has nothing switched by hand
  const draw = () => {
    const values = model.get("values"), flipped = model.get("flipped"), text = JSON.stringify(values);
    if (before !== null && text !== before && flipped.length) { before = text; keep("flipped", []); return; }
    before = text;
    const there = now();
    clock.place(values[COUNT] >= spec.most ? 1 : values[COUNT] / spec.most);
    controls.update();
    words.textContent = `${stateText(values, spec.order)}${flipped.length ? `, switched by hand: ${flipped.length}` : ""}`;
    verdict.textContent = sentence(spec, there, flipped);
    if (picture) show(picture, spec, there);
    read.update();
    say(verdict.textContent);
  };
  content.append(node("div", { class: "dlw-stage" }, hold), node("div", { class: "dlw-playing" }, again.element, clock.elements[0], back.element), verdict, node("div", { class: "dlw-controls" }, ...controls.elements), words);
  const unwatch = onWidth(hold, (width) => {
    picture = drawing(spec, width);
    const { at } = picture, far = (event, unit) => {
      const box = picture.svg.getBoundingClientRect(), scale = width / box.width;
      return Math.hypot((event.clientX - box.left) * scale - unit.cx, (event.clientY - box.top) * scale - unit.cy);
    };
    const nearest = (event) => picture.units.reduce((top, unit, i) => (far(event, unit) < far(event, picture.units[top]) ? i : top), 0);
    read.measure(nearest);
    read.element.onclick = (event) => { const i = nearest(event); if (far(event, picture.units[i]) < NEAR) flip(i); };
    const left = at.columns[0] - 16, right = at.columns[1] + 16;
    Object.assign(read.element.style, { left: `${(100 * left) / width}%`, width: `${(100 * (right - left)) / width}%`, top: `${(100 * at.top) / at.height}%`, height: `${(100 * at.body) / at.height}%` });
    hold.replaceChildren(picture.svg, read.element);
    draw();
  });
  const stop = listen(model, ["change:values", "change:flipped"], draw);
  draw();
  return () => { clock.stop(); unwatch(); stop(); };
}

export default { render, masks, run };

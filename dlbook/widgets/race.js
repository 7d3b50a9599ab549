// Balls of six optimizers on a surface of two weights: dropped by the reader, rolled by the page.
import { calm, choice, button, frame, keeper, listen, node, number, slider, stateText, three } from "./controls.js";
import { evenly, tabled } from "./numbers.js";
import { FELT, METHODS, course, sweep } from "./race_rules.js";
import { REACH, chart, drawing, show } from "./race_picture.js";
import { pointed } from "./square.js";
import { onSight, onWidth, player } from "./stage.js";

const SECONDS = 7, X = "start x", Y = "start y", STEP = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// The map as one tab stop: pointer and finger drop the balls and drag them, arrow keys move the start, Enter plays.
function ground(drop, begin, where) {
  let held = false;
  const element = node("div", { class: "dlw-drop-here", role: "application", tabindex: "0", "aria-roledescription": "map",
    "aria-label": "drop the balls: arrow keys move the start, Enter rolls them", onkeydown: (event) => {
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      const by = STEP[event.key];
      if (!by && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      if (by) drop(where().map((v, i) => v + by[i] * (event.shiftKey ? 0.25 : 0.05))); else begin();
    } });
  const at = (event) => pointed(element, event, REACH);
  element.addEventListener("pointerdown", (event) => { held = true; element.setPointerCapture(event.pointerId); drop(at(event)); });
  element.addEventListener("pointermove", (event) => { if (held) drop(at(event)); });
  element.addEventListener("pointerup", () => { if (held) begin(); held = false; });
  element.addEventListener("pointercancel", () => { held = false; });
  return element;
}

// A loss, as far down as it tells anything.
const told = (loss) => (loss < 1e-12 ? "less than 1e−12" : three(loss));

function sentence({ updates }, values, runs, hidden, time) {
  const mine = runs[METHODS.indexOf(values.method)], t = Math.min(Math.floor(time + 1e-6), updates);
  const gone = mine.lost && t >= mine.places.length - 1, at = `${values.method} at the rate ${number(values.rate, 3)}`;
  const now = gone ? `${at} leaves the map for good after ${mine.places.length - 1} updates.` : `${at}: loss ${told(mine.losses[Math.min(t, mine.losses.length - 1)])} after ${t} ${t === 1 ? "update" : "updates"}.`;
  const own = ` Its best rate from here is ${number(mine.best, 3)}, with ${told(Math.min(...mine.ends))} after ${updates}.`;
  const least = runs.map((run) => Math.min(...run.ends)), first = least.indexOf(Math.min(...least));
  return `${now}${own}${hidden ? "" : ` Lowest of all at its best rate: ${METHODS[first]}, ${told(least[first])}.`}`;
}

async function render({ model, el }) {
  const spec = model.get("spec"), { updates, parameters } = spec, rates = parameters.rate;
  const { root, content, say } = frame(model, el, "race"), keep = keeper(model);
  const set = (name) => (value) => keep("values", { ...model.get("values"), [name]: value });
  const controls = spec.order.filter((name) => ![X, Y].includes(name) && parameters[name].length > 1).map((name) => ({ name,
    ...(typeof parameters[name][0] === "string" ? choice : slider)(name, parameters[name], set(name)) }));
  const verdict = node("p", { class: "dlw-verdict" }), state = node("p", { class: "dlw-state" });
  const hold = node("div", { class: "dlw-hold" }), stage = node("div", { class: "dlw-stage" }, hold);
  let picture = null, drawn = "", runs = null, time = updates, width = 0, swept = "", sweeps = null;
  const values = () => model.get("values"), surface = () => spec.surfaces[values().surface], hidden = () => values().others === "hidden";
  const move = () => {
    if (picture) show(picture, surface(), rates, updates, runs, values().method, hidden(), time);
    verdict.textContent = sentence(spec, values(), runs, hidden(), time);
    say(`${state.textContent}. ${verdict.textContent}`);
  };
  const clock = player(SECONDS, 1 / updates, (part) => { time = part * updates; move(); }, "play");
  const again = button("first", "back to the start", () => clock.reset(), "reset");
  const whole = button("last", "to the end", () => clock.whole(), "end");
  const nearest = (list, target) => list.reduce((best, v) => (Math.abs(v - target) < Math.abs(best - target) ? v : best));
  const drop = (to) => {
    clock.stop();
    clock.place(1);
    time = updates;
    keep("values", { ...values(), [X]: nearest(parameters[X], to[0]), [Y]: nearest(parameters[Y], to[1]) });
  };
  const roll = ground(drop, () => { if (!calm()) { clock.reset(); clock.start(); } }, () => [values()[X], values()[Y]]);
  const layout = () => {
    if (!width) return;
    const at = chart(width);
    picture = drawing(at, surface(), rates, updates);
    const percent = (part, of) => `${(100 * part) / of}%`;
    Object.assign(roll.style, { left: percent(at.left, width), width: percent(at.side, width), top: percent(at.top, at.height), height: percent(at.side, at.height) });
    if (hold.contains(roll)) hold.firstChild.replaceWith(picture.svg); else hold.replaceChildren(picture.svg, roll);
    drawn = values().surface;
  };
  const draw = () => {
    const chosen = values(), { terms } = surface(), start = [chosen[X], chosen[Y]], mu = chosen.momentum, key = JSON.stringify([terms, start, mu]);
    if (key !== swept) sweeps = METHODS.map((method) => sweep(terms, method, rates, mu, start, updates));
    swept = key;
    runs = METHODS.map((method, i) => {
      const rate = method === chosen.method ? chosen.rate : sweeps[i].best;
      return { ...sweeps[i], rate, ...course(terms, method, rate, mu, start, updates) };
    });
    controls.forEach((control) => {
      control.update(chosen[control.name]);
      control.element.classList.toggle("dlw-idle", control.name === "momentum" && hidden() && !FELT.includes(chosen.method));
    });
    state.textContent = stateText(chosen, spec.order);
    if (drawn !== chosen.surface) layout();
    move();
  };
  content.append(stage, verdict, node("div", { class: "dlw-playing" }, ...clock.elements, again.element, whole.element),
    node("div", { class: "dlw-controls" }, ...controls.map((control) => control.element)), state);
  draw();
  tabled(model, root, () => [["update", ...METHODS.map((method, i) => `${method}, rate ${number(runs[i].rate, 3)}`)],
    ...evenly(updates + 1, 11).map((t) => [String(t), ...runs.map(({ losses }) => (t < losses.length ? three(losses[t]) : "lost"))])]);
  const unwatch = onWidth(hold, (now) => { width = now; layout(); move(); });
  const stop = listen(model, ["change:values"], draw), unseen = onSight(stage, clock.start);
  return () => { clock.stop(); unseen(); unwatch(); stop(); };
}

export default { render };

// Train it, then break it: the reader says what the loss will do, trains a real network in the page, and sees.
import { button, calm, choice, frame, identity, inflated, keeper, listen, node, number } from "./controls.js";
import { loadDigits } from "./train_data.js";
import { picture } from "./train_picture.js";

const SPOKEN = 2500; // milliseconds between two sentences for readers who listen
const percent = (part) => `${(100 * part).toFixed(0)} %`;

// Four answers, of which one can be chosen before the training begins.
function guesses(question, choices) {
  const name = identity();
  const radios = choices.map((_, i) => node("input", { type: "radio", name, value: i }));
  const labels = radios.map((radio, i) => node("label", { class: "dlw-radio" }, radio, node("span", {}, choices[i])));
  return { element: node("fieldset", { class: "dlw-control dlw-choice dlw-guesses" }, node("legend", {}, question), node("div", {}, ...labels)),
    chosen: () => radios.findIndex((radio) => radio.checked), open: (on) => radios.forEach((radio) => { radio.disabled = !on; }),
    clear: () => radios.forEach((radio) => { radio.checked = false; radio.disabled = false; }) };
}

// The numbers of the last step, for those who read them.
const table = (report) => node("table", {}, node("thead", {}, node("tr", {}, ...["layer", "activations", "gradients", "weights"].map((word) => node("th", { scope: "col" }, word)))),
  node("tbody", {}, ...report.layers.map((layer) => node("tr", {}, node("th", { scope: "row" }, layer.name),
    ...[layer.activation, layer.gradient, layer.weight].map((value) => node("td", {}, number(value, 3)))))));

// The graph with another function in the place of each ReLU, or in which every sum keeps only what the branch gives: the shortcuts are gone.
const altered = (graph, { shortcuts, activation }) => ({ ...graph, operations: graph.operations.map(([name, inputs, options, layer]) => (shortcuts && name === "add"
  ? ["flatten", [inputs[0]], { first: 1, last: 1 }, layer] : [activation && name === "relu" ? activation : name, inputs, options, layer])) });

async function render({ model, el }) {
  const spec = model.get("spec"), { setup, curves } = await inflated(spec.run).json(), { content, say } = frame(model, el, "train");
  const names = spec.parameters.broken, keep = keeper(model);
  const broken = choice("What is broken", names, (value) => keep("values", { broken: value })), guess = guesses(spec.question, spec.choices);
  let drawing = null, link = null, losses = [], first = null, last = null, test = null, going = false, started = false, asked = 0, spoken = 0, ended = false;
  const fault = () => names.indexOf(model.get("values").broken);
  const line = node("p", { class: "dlw-verdict" }), outcome = node("p", { class: "dlw-outcome", hidden: true }), hold = node("div", { class: "dlw-hold" });
  const numbers = node("div", { class: "dlw-scroll", tabindex: "0", role: "region", "aria-label": "numbers by layer" }), more = node("details", { hidden: true, ontoggle: () => fill() }, node("summary", {}, "The numbers, layer by layer"), numbers);
  const fill = () => { if (more.open && last) numbers.replaceChildren(table(last)); };
  const paint = () => { asked = 0; drawing?.draw(losses, curves[fault()], first, last); };
  const told = () => !last ? `${spec.steps} steps of ${setup.batch} digits. Nothing is trained yet.`
    : `Step ${last.step} of ${spec.steps}: loss ${number(last.loss, 3)}, ${percent(last.accuracy)} of the batch right${test === null ? "" : `, ${percent(test)} of the test digits`}.`;
  const show = (speak) => {
    line.textContent = told();
    asked ||= requestAnimationFrame(paint);
    if (speak || performance.now() - spoken > SPOKEN) { spoken = performance.now(); say(`${line.textContent} ${outcome.hidden ? "" : outcome.textContent}`); }
  };
  const sign = () => {
    train.sign(going ? "pause" : "play");
    train.words.textContent = going ? "Pause" : started && !ended ? "Go on" : "Train";
    train.element.setAttribute("aria-label", train.words.textContent);
    train.element.title = train.words.textContent;
    [train, step].forEach((each) => each.enable(!ended));
    more.hidden = !last;
  };
  const finish = () => {
    const answer = spec.answers[fault()], mine = guess.chosen(), ten = Math.min(10, losses.length);
    const far = Math.max(...losses.slice(0, ten).map((loss, i) => (curves[fault()][i] === null ? 0 : Math.abs(loss / curves[fault()][i] - 1))));
    const verdict = mine < 0 ? "You made no guess. " : mine === answer ? "Your guess was right. " : `You said “${spec.choices[mine]}”. `;
    outcome.textContent = `${verdict}The loss ${spec.choices[answer]}. ${spec.says[fault()]} In the first ${ten} steps it was within ${number(100 * far, 2)} % of torch's.`;
    outcome.hidden = false;
    ended = true;
  };
  const receive = (message) => {
    if (message.type === "error") { going = false; line.textContent = `The training stopped: ${message.text}`; sign(); return; }
    if (message.type === "step") {
      losses.push(message.loss);
      last = message;
      first ??= message;
      test = message.test ?? test;
      if (!calm() || message.step % spec.every === 0) show(false);
    } else if (started) {
      going = false;
      if (message.done && last) finish();
      sign();
      fill();
      show(true);
    }
  };
  // The first press loads the digits and starts the worker; a new fault starts it anew.
  const ready = async () => {
    if (started) return true;
    line.textContent = "Loading 2,000 digits …";
    try {
      const sets = await loadDigits(model, spec.digits), change = spec.changes[fault()];
      link ??= connect(engine, receive);
      link.send({ type: "start", setup, ...sets, steps: spec.steps, every: spec.every, most: spec.most, change: { ...change, graph: altered(setup.graph, change) } });
      started = true;
      guess.open(false);
    } catch (error) { line.textContent = error.message; say(error.message); }
    return started;
  };
  const press = async (type) => { if (!ended && await ready()) { going = type === "go"; link.send({ type }); sign(); } };
  const reset = () => {
    link?.end();
    [link, losses, first, last, test, started, going, ended] = [null, [], null, null, null, false, false, false];
    outcome.hidden = true;
    guess.clear();
    sign();
    show(true);
  };
  const train = button("play", "Train", () => press(going ? "pause" : "go")), step = button("next", "one step further", () => press("step"), "step");
  train.words = node("span", {}, "Train");
  train.element.prepend(train.words);
  content.append(node("div", { class: "dlw-controls" }, broken.element), guess.element, node("div", { class: "dlw-playing" }, train.element, step.element, button("first", "back to the start", reset, "reset").element),
    node("div", { class: "dlw-stage" }, hold), line, outcome, more);
  const watch = new ResizeObserver(() => {
    const width = Math.floor(hold.clientWidth);
    if (!width || width === drawing?.width) return;
    drawing = { width, ...picture(width, spec.steps, spec.layers) };
    hold.replaceChildren(drawing.svg);
    paint();
  });
  watch.observe(hold);
  const changed = () => { broken.update(model.get("values").broken); reset(); };
  broken.update(model.get("values").broken);
  sign();
  show(false);
  const stop = listen(model, ["change:values"], changed);
  return () => { link?.end(); watch.disconnect(); stop(); };
}

export default { render };

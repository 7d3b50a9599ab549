// Stacks of images over parameters. Each stack comes as one picture (an atlas); a canvas shows the frame that is wanted.
import { frame, keeper, listen, node, number, offset, parameterControls, stateText } from "./controls.js";

// The colours of a one-channel stack, with the numbers at both ends.
function colorBar(bar) {
  const fill = node("span", { class: "dlw-gradient" });
  fill.style.background = `linear-gradient(to right, ${bar.colors.join(",")})`;
  return node("p", { class: "dlw-colors" }, node("span", {}, number(bar.low)), fill, node("span", {}, number(bar.high)));
}

async function stackView(entry) {
  const atlas = new Image();
  atlas.src = entry.atlas;
  await atlas.decode();
  const canvas = node("canvas", { role: "img", width: entry.width, height: entry.height, class: entry.width < 128 ? "dlw-crisp" : null });
  const shown = entry.width < 128 ? entry.width * Math.ceil(220 / entry.width) : entry.width;
  const caption = node("figcaption");
  const element = node("figure", { class: "dlw-stack" }, canvas, entry.bar ? colorBar(entry.bar) : null, caption);
  element.style.setProperty("--dlw-width", `${shown}px`);
  const context = canvas.getContext("2d");
  const draw = (at, words) => {
    const left = (at % entry.columns) * entry.width, top = Math.floor(at / entry.columns) * entry.height;
    context.clearRect(0, 0, entry.width, entry.height);
    context.drawImage(atlas, left, top, entry.width, entry.height, 0, 0, entry.width, entry.height);
    canvas.setAttribute("aria-label", words);
    canvas.dataset.frame = at;
    caption.textContent = words;
  };
  return { element, draw, entry };
}

async function render({ model, el }) {
  const spec = model.get("spec");
  const stacks = await Promise.all(spec.images.map(stackView));
  const { content, say } = frame(model, el, "images");
  const keep = keeper(model);
  const controls = parameterControls(model, keep);
  const caption = node("p", { class: "dlw-caption", hidden: !spec.captions.length });
  content.append(node("div", { class: "dlw-stacks" }, ...stacks.map((stack) => stack.element)), caption,
    node("div", { class: "dlw-controls", hidden: !controls.elements.length }, ...controls.elements));
  const draw = () => {
    const values = model.get("values");
    controls.update();
    for (const { draw: show, entry } of stacks) {
      const named = Object.fromEntries(entry.parameters.map((name) => [name, values[name]]));
      show(offset(spec.parameters, entry.parameters, values), [entry.name, stateText(named, entry.parameters)].filter(Boolean).join(", "));
    }
    caption.textContent = spec.captions[offset(spec.parameters, spec.order, values)] ?? "";
    say([stateText(values, spec.order), caption.textContent].filter(Boolean).join(". "));
  };
  draw();
  return listen(model, ["change:values"], draw);
}

export default { render };

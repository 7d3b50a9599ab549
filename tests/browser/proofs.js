// What is asked of the engine, in Node and in Chromium alike. Each case is data; the answer goes back to Python.

const numbers = (tensor) => Array.from(tensor.data);
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// Logits in both modes, the gradient of every parameter of the first batch, and the parameters after the steps.
function learn(e, { graph, entries, data, images, shape, labels, optimiser, steps }) {
  const unpacked = () => e.unpacked(entries, bytesOf(data));
  const net = e.network(graph, unpacked()), batch = () => e.constant(images, shape);
  const evaluation = numbers(net.run(batch(), false).at(-1));
  const walk = e.optimiser(net.parameters, optimiser), losses = [];
  let gradients = null, training = null;
  for (let step = 0; step < steps; step++) {
    const logits = net.run(batch(), true).at(-1), loss = e.cross_entropy(logits, labels);
    walk.clear();
    e.backward(loss);
    gradients ??= Object.fromEntries(Object.keys(graph.parameters).map((name) => [name, Array.from(e.gradient(net.tensors[name]))]));
    training ??= numbers(logits);
    walk.step();
    losses.push(loss.data[0]);
  }
  return { evaluation, training, gradients, losses, after: Object.fromEntries(Object.entries(net.tensors).map(([name, t]) => [name, numbers(t)])) };
}

// Every operation, on small inputs away from the places where a slope jumps.
function operationCases(e) {
  const draw = e.generator(7), labels = [2, 0, 1];
  const some = (...shape) => e.parameter(Array.from({ length: e.count(shape) }, () => draw.normal()), shape);
  const apart = (...shape) => { const order = draw.order(e.count(shape)); return e.parameter(order.map((v) => (v - order.length / 2 + 0.3) / 7), shape); };
  const state = () => ({ mean: Float64Array.of(0.2, -0.1, 0.3), variance: Float64Array.of(1.5, 0.7, 2) });
  const plain = (name, options) => [[apart(3, 5)], (x) => e[name](x, options)];
  return {
    relu: plain("relu"), leaky_relu: plain("leaky_relu", { slope: 0.2 }), sigmoid: plain("sigmoid"), tanh: plain("tanh"), silu: plain("silu"), gelu: plain("gelu"),
    add: [[some(2, 3, 4), some(3, 4)], (a, b) => e.add(e.add(a, b), a)], mul: [[some(2, 3, 4), some(3, 4)], e.mul], scale: [[some(5)], (x) => e.scale(x, -2.5)],
    linear: [[some(2, 3, 5), some(7, 5), some(7)], e.linear], matmul: [[some(2, 3, 5), some(2, 5, 7)], e.matmul],
    flatten: [[some(2, 3, 4)], e.flatten], unflatten: [[some(2, 12)], (x) => e.unflatten(x, { axis: 1, sizes: [3, -1] })],
    permute: [[some(2, 3, 4)], (x) => e.permute(x, { order: [2, 0, 1] })],
    slice: [[some(2, 7, 3)], (x) => e.slice(x, { axis: 1, start: 1, stop: 6, step: 2 })], select: [[some(2, 4, 3)], (x) => e.select(x, { axis: 1, index: 2 })],
    pad: [[some(2, 3, 2)], (x) => e.pad(x, { axis: 1, before: 1, after: 2 })], expand: [[some(1, 2, 3)], (x) => e.expand(x, 3)],
    concat: [[some(2, 1, 3), some(2, 4, 3)], (a, b) => e.concat([a, b], { axis: 1 })], mean: [[some(2, 3, 4, 2)], (x) => e.mean(x, { first: 1, last: 2 })],
    softmax: plain("softmax", { temperature: 0.7 }), log_softmax: plain("log_softmax", { temperature: 0.7 }), l2_normalise: plain("l2_normalise"),
    attention: [[some(1, 2, 3, 4), some(1, 2, 3, 4), some(1, 2, 3, 4)], e.attention], cross_entropy: [[some(3, 4)], (x) => e.cross_entropy(x, labels)],
    conv2d: [[some(2, 4, 5, 6), some(6, 2, 3, 2), some(6)], (x, w, b) => e.conv2d(x, w, b, { stride: [2, 1], padding: [1, 0], groups: 2 })],
    max_pool2d: [[apart(2, 2, 5, 5)], (x) => e.max_pool2d(x, { kernel: [3, 3], stride: [2, 2], padding: [1, 1] })],
    avg_pool2d: [[some(2, 2, 5, 5)], (x) => e.avg_pool2d(x, { kernel: [3, 2], stride: [2, 2], padding: [1, 0] })],
    adaptive: [[some(1, 2, 7, 5)], (x) => e.avg_pool2d(x, { size: [3, 2] })],
    batch_norm: [[some(4, 3, 2, 2), some(3), some(3)], (x, g, b) => e.batch_norm(x, g, b, state(), { training: true })],
    batch_norm_evaluation: [[some(4, 3, 2, 2), some(3), some(3)], (x, g, b) => e.batch_norm(x, g, b, state(), { training: false })],
    layer_norm: [[some(2, 3, 5), some(5), some(5)], e.layer_norm],
  };
}

// The inputs and result of every operation, for torch; and how far its gradient is from finite differences.
function operations(e, floats = Float64Array) {
  e.precision.Numbers = floats;
  const found = {};
  for (const [name, [inputs, f]] of Object.entries(operationCases(e))) {
    const result = f(...inputs), draw = e.generator(11), weights = e.constant(Array.from(result.data, () => draw.normal()), result.shape);
    const value = () => { const y = f(...inputs).data; return y.reduce((sum, v, i) => sum + v * weights.data[i], 0); };
    inputs.forEach((x) => { x.grad = null; });
    e.backward(e.scale(e.mean(e.mul(result, weights)), result.data.length));
    let worst = 0, largest = 0;
    for (const x of inputs) for (let i = 0; i < x.data.length; i++) {
      const kept = x.data[i], h = 1e-5;
      x.data[i] = kept + h;
      const above = value();
      x.data[i] = kept - h;
      const difference = (above - value()) / (2 * h);
      x.data[i] = kept;
      worst = Math.max(worst, Math.abs(difference - e.gradient(x)[i]));
      largest = Math.max(largest, Math.abs(difference));
    }
    found[name] = { inputs: inputs.map((x) => [numbers(x), x.shape]), result: numbers(result), shape: result.shape, worst: worst / Math.max(largest, 1e-9) };
  }
  e.precision.Numbers = Float32Array;
  return found;
}

// Gradients stop at detach; a contrastive and a self-distilling loss can be written.
function losses(e) {
  e.precision.Numbers = Float64Array;
  const draw = e.generator(5), some = () => e.parameter(Array.from({ length: 12 }, () => draw.normal()), [3, 4]), a = some(), b = some();
  const [u, v] = [a, b].map((x) => e.l2_normalise(x)), contrast = e.cross_entropy(e.scale(e.matmul(u, e.permute(v, { order: [1, 0] })), 5), [0, 1, 2]);
  e.backward(contrast);
  const first = [a, b].map((x) => Array.from(e.gradient(x)));
  [a.grad, b.grad] = [null, null];
  const distilled = e.scale(e.mean(e.mul(e.detach(e.softmax(b, { temperature: 0.5 })), e.log_softmax(a))), -4);
  e.backward(distilled);
  const found = { inputs: [numbers(a), numbers(b)], contrast: contrast.data[0], first, distilled: distilled.data[0], second: Array.from(e.gradient(a)), stopped: b.grad === null };
  e.precision.Numbers = Float32Array;
  return found;
}

// A run of training.js, step by step.
function train(e, { setup, train, test, change, steps, most }) {
  const set = ({ images, labels, top }) => ({ images: bytesOf(images), labels, top });
  const run = e.training(setup, set(train), set(test), change), reports = [];
  for (let step = 0; step < steps; step++) reports.push(run.step());
  return { reports, test: run.evaluate(most) };
}

const random = (e) => { const g = e.generator(12345); return { next: [g.next(), g.next()], normal: [g.normal(), g.normal()], order: g.order(10) }; };

function prove(e, { learning = [], runs = [], ...asked }) {
  return { learning: learning.map((each) => learn(e, each)), runs: runs.map((each) => train(e, each)),
    operations: asked.operations ? operations(e) : null, losses: asked.losses ? losses(e) : null, random: random(e) };
}

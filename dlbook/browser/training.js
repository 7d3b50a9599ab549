// A training run that goes on step by step. What a reader breaks is `change`; everything else stays as it was.
import { network } from "./network.js";
import { cross_entropy } from "./operations.js";
import { optimiser } from "./optimisers.js";
import { generator } from "./random.js";
import { array, backward, count, detach, tensor } from "./tensor.js";

const rms = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

// Of each row of logits, whether the largest is the right one: the share.
function share(logits, labels) {
  const [B, K] = logits.shape;
  let right = 0;
  for (let b = 0; b < B; b++) {
    const row = logits.data.subarray(b * K, b * K + K);
    if (row.indexOf(row.reduce((a, c) => Math.max(a, c))) === labels[b]) right += 1;
  }
  return right / B;
}

// The numbers that a network starts from: for each parameter its deviation, or 0 and a constant; `biases` start elsewhere.
export function started(graph, start, seed, factor = 1, biases = null) {
  const { normal } = generator(seed), numbers = {};
  for (const [name, shape] of Object.entries(graph.parameters)) {
    const [deviation, usual] = start[name], value = biases !== null && name.endsWith("bias") ? biases : usual;
    numbers[name] = Array.from({ length: count(shape) }, () => (deviation ? factor * deviation * normal() : value));
  }
  for (const [name, shape] of Object.entries(graph.buffers)) numbers[name] = Array(count(shape)).fill(name.endsWith("var") ? 1 : 0);
  return numbers;
}

// setup: { graph, start, seed, batch, optimiser, schedule: the factor of the rate at each step }; train and test: { images: bytes, labels, top: the byte that is 1 }.
// change: { graph, rate, initial: factors, biases: a number, schedule: other factors, labels: "shuffled", norm: "evaluation", gradients: "kept" }.
export function training({ graph, start, seed, batch, optimiser: options, schedule }, train, test, change = {}) {
  const net = network(change.graph ?? graph, started(graph, start, seed, change.initial, change.biases));
  const list = (change.graph ?? graph).operations, [C, H, W] = graph.input, size = C * H * W, n = train.labels.length;
  const walk = optimiser(net.parameters, { ...options, rate: options.rate * (change.rate ?? 1) });
  const { order } = generator(seed + 1), given = change.labels ? generator(seed + 2).order(n).map((i) => train.labels[i]) : train.labels;
  // each convolution and linear layer: its place among the results, and its weights
  const layers = list.flatMap(([name, inputs, , layer], i) => (name === "conv2d" || name === "linear" ? [[layer, i + 1, inputs[1]]] : []));
  const factors = change.schedule ?? schedule;
  let queue = [], steps = 0;
  const picture = (set, places) => {
    const pixels = array(places.length * size);
    places.forEach((place, i) => { for (let j = 0; j < size; j++) pixels[i * size + j] = set.images[place * size + j] / set.top; });
    return tensor(pixels, [places.length, C, H, W]);
  };
  return {
    net,
    step() {
      if (queue.length < batch) queue = order(n);
      const places = queue.splice(0, batch), labels = places.map((place) => given[place]);
      const results = net.run(picture(train, places), change.norm !== "evaluation"), logits = results.at(-1), loss = cross_entropy(logits, labels);
      if (change.gradients !== "kept") walk.clear();
      backward(loss);
      walk.step(factors ? factors[steps] : 1);
      steps += 1;
      return { step: steps, loss: loss.data[0], accuracy: share(logits, labels),
        layers: layers.map(([name, at, weight]) => ({ name, activation: rms(results[at].data), weight: rms(net.tensors[weight].data),
          gradient: rms(net.tensors[weight].grad) })) };
    },
    // Share of the first `most` test digits that it gets right, a hundred at a time.
    evaluate(most = test.labels.length, training = false) {
      let right = 0;
      for (let from = 0; from < most; from += 100) {
        const places = Array.from({ length: Math.min(100, most - from) }, (_, i) => from + i);
        right += places.length * share(net.run(picture(test, places), training).at(-1), places.map((place) => test.labels[place]));
      }
      return right / most;
    },
  };
}

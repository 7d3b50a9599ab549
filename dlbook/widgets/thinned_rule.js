// Thinned networks: which units each of them has, and what it says. thinned.py does the same, and puts the
// `generator` of browser/random.js before this file.

// Of each thinned network, for each hidden unit, whether it is there.
export function masks(spec) {
  const draw = generator(spec.seed), units = spec.widths[0] + spec.widths[1];
  return Array.from({ length: spec.most }, () => Array.from({ length: units }, () => draw.uniform() >= spec.drop_prob));
}

// One network's numbers, cut out of the array that came from Python.
export function network(spec, numbers, at) {
  const [first, second] = spec.widths, classes = spec.classes.length, digits = spec.parameters.digit.length;
  let from = at * (digits * first + second * (first + 1) + classes * (second + 1));
  const take = (rows, columns) => Array.from({ length: rows }, () => Array.from(numbers.subarray(from, (from += columns))));
  const entering = take(digits, first), w2 = take(second, first), [b2] = take(1, second), w3 = take(classes, second), [b3] = take(1, classes);
  return { entering, w2, b2, w3, b3 };
}

// The activations of both hidden layers and the probabilities; what is there is multiplied by `scale`.
export function run(net, digit, there, scale) {
  const first = net.entering[digit].length, kept = (z, i) => (there[i] ? Math.max(0, z) * scale : 0);
  const dot = (w, a, b) => w.reduce((sum, v, i) => sum + v * a[i], b);
  const one = net.entering[digit].map((z, i) => kept(z, i)), two = net.w2.map((w, i) => kept(dot(w, one, net.b2[i]), first + i));
  const logits = net.w3.map((w, i) => dot(w, two, net.b3[i])), top = Math.max(...logits), powers = logits.map((z) => Math.exp(z - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { one, two, probs: powers.map((v) => v / sum) };
}

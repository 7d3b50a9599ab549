// The net of five numbers: two inputs, two hidden units, one output; every value forward, every delta back. dlbook/widgets/backprop_net.py computes the same.

export const NUMBERS = ["w₁₁", "w₁₂", "b₁", "w₂₁", "w₂₂", "b₂", "v₁", "v₂", "b₃", "x₁", "x₂"];
export const SQUARED = "squared error";

const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

// Values, loss, deltas and gradients of one case. `weights` are nine numbers in the order of NUMBERS, `x` two.
export function pass(weights, x, target, loss) {
  const [w11, w12, b1, w21, w22, b2, v1, v2, b3] = weights;
  const h = [sigmoid(w11 * x[0] + w12 * x[1] + b1), sigmoid(w21 * x[0] + w22 * x[1] + b2)];
  const z = v1 * h[0] + v2 * h[1] + b3, y = sigmoid(z), squared = loss === SQUARED;
  const softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));  // −ln(1 − ŷ), without overflow
  const value = squared ? (y - target) ** 2 / 2 : softplus - target * z;
  const d3 = squared ? (y - target) * y * (1 - y) : y - target;
  const [d1, d2] = [v1 * d3 * h[0] * (1 - h[0]), v2 * d3 * h[1] * (1 - h[1])];
  const gradient = [d1 * x[0], d1 * x[1], d1, d2 * x[0], d2 * x[1], d2, d3 * h[0], d3 * h[1], d3, w11 * d1 + w21 * d2, w12 * d1 + w22 * d2];
  return { h, y, loss: value, deltas: [d1, d2, d3], gradient };
}

// Mean loss over all cases, [x1, x2, target] each, and how many are on the right side of one half.
export function together(weights, cases, loss) {
  const each = cases.map(([a, b, target]) => ({ target, ...pass(weights, [a, b], target, loss) }));
  return { loss: each.reduce((sum, one) => sum + one.loss, 0) / cases.length, right: each.filter((one) => (one.y > 0.5) === (one.target > 0.5)).length };
}

// One step of gradient descent on all cases.
export function descend(weights, cases, loss, rate) {
  const sum = new Array(9).fill(0);
  cases.forEach(([a, b, target]) => pass(weights, [a, b], target, loss).gradient.slice(0, 9).forEach((g, i) => { sum[i] += g; }));
  return weights.map((w, i) => w - (rate * sum[i]) / cases.length);
}

// How the loss moves when number `at` of NUMBERS is raised by `by`.
export function nudge(weights, x, target, loss, at, by) {
  const moved = [...weights, ...x].map((value, i) => value + (i === at ? by : 0));
  return pass(moved.slice(0, 9), moved.slice(9), target, loss).loss - pass(weights, x, target, loss).loss;
}

// How the gradient of a number is made, in names and in values.
export function made(at, weights, x, { h, deltas }) {
  const into = [...x, 1, ...x, 1, ...h, 1], names = ["x₁", "x₂", "", "x₁", "x₂", "", "h₁", "h₂", ""], unit = Math.floor(at / 3);
  if (at < 9) return names[at] ? { names: `δ${"₁₂₃"[unit]} · ${names[at]}`, parts: [[deltas[unit], into[at]]] } : { names: `δ${"₁₂₃"[unit]}`, parts: [] };
  const j = at - 9;
  return { names: `w₁${"₁₂"[j]} δ₁ + w₂${"₁₂"[j]} δ₂`, parts: [[weights[j], deltas[0]], [weights[3 + j], deltas[1]]] };
}

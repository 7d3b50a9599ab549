// Operations on tensors of any shape: activations, sums, products, rearranging, attention, softmax.
import { addUp, array, count, gradient, multiply, tensor, turned } from "./tensor.js";

// Sizes of the axes before, at and after `axis`.
const around = (shape, axis) => [count(shape.slice(0, axis)), shape[axis], count(shape.slice(axis + 1))];
const changed = (shape, axis, side) => shape.map((old, i) => (i === axis ? side : old));

// --- activations: f, and its slope from what went in and what came out

const activation = (f, slope) => (x, options = {}) => {
  const y = tensor(array(x.data.length), x.shape, [x], (g) => {
    const to = gradient(x);
    for (let i = 0; i < g.length; i++) to[i] += g[i] * slope(x.data[i], y.data[i], options);
  });
  for (let i = 0; i < y.data.length; i++) y.data[i] = f(x.data[i], options);
  return y;
};

const logistic = (v) => 1 / (1 + Math.exp(-v));

// The error function by a series whose terms are all positive, so that none cancels.
function erf(v) {
  if (Math.abs(v) > 6) return Math.sign(v);
  let term = v, sum = v;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * v * v) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-v * v) * sum;
}

const below = (v) => (1 + erf(v / Math.SQRT2)) / 2; // what a normal number is below v with

export const relu = activation((v) => (v > 0 ? v : 0), (v) => (v > 0 ? 1 : 0));
export const leaky_relu = activation((v, { slope = 0.01 }) => (v > 0 ? v : slope * v), (v, y, { slope = 0.01 }) => (v > 0 ? 1 : slope));
export const sigmoid = activation(logistic, (v, y) => y * (1 - y));
export const tanh = activation(Math.tanh, (v, y) => 1 - y * y);
export const silu = activation((v) => v * logistic(v), (v) => logistic(v) * (1 + v * (1 - logistic(v))));
export const gelu = activation((v) => v * below(v), (v) => below(v) + (v * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI));

// --- sums and products; b may be smaller than a and is then repeated over a's first axes

export function add(a, b) {
  if (b.data.length > a.data.length) return add(b, a);
  const n = b.data.length, y = array(a.data.length);
  for (let i = 0; i < y.length; i++) y[i] = a.data[i] + b.data[i % n];
  return tensor(y, a.shape, [a, b], (g) => {
    if (a.wanted) addUp(gradient(a), g);
    if (!b.wanted) return;
    const to = gradient(b);
    for (let i = 0; i < g.length; i++) to[i % n] += g[i];
  });
}

export function mul(a, b) {
  if (b.data.length > a.data.length) return mul(b, a);
  const n = b.data.length, y = array(a.data.length);
  for (let i = 0; i < y.length; i++) y[i] = a.data[i] * b.data[i % n];
  return tensor(y, a.shape, [a, b], (g) => {
    const toA = gradient(a), toB = gradient(b);
    for (let i = 0; i < g.length; i++) { toA[i] += g[i] * b.data[i % n]; toB[i % n] += g[i] * a.data[i]; }
  });
}

export const scale = (x, factor) => mul(x, tensor([factor], []));

// x [..., D] times the rows of w [E, D], plus the bias [E]: [..., E].
export function linear(x, w, bias) {
  const [E, D] = w.shape, rows = x.data.length / D, y = array(rows * E);
  multiply(x.data, 0, w.data, 0, y, 0, rows, E, D);
  const out = tensor(y, [...x.shape.slice(0, -1), E], [x, w], (g) => {
    if (x.wanted) multiply(g, 0, turned(w.data, 0, E, D), 0, gradient(x), 0, rows, D, E);
    if (w.wanted) multiply(turned(g, 0, rows, E), 0, turned(x.data, 0, rows, D), 0, gradient(w), 0, E, D, rows);
  });
  return bias ? add(out, bias) : out;
}

// a [..., m, k] times b [..., k, n], matrix by matrix.
export function matmul(a, b) {
  const [m, k] = a.shape.slice(-2), n = b.shape.at(-1), pairs = a.data.length / (m * k), y = array(pairs * m * n);
  for (let i = 0; i < pairs; i++) multiply(a.data, i * m * k, turned(b.data, i * k * n, k, n), 0, y, i * m * n, m, n, k);
  return tensor(y, [...a.shape.slice(0, -1), n], [a, b], (g) => {
    const toA = gradient(a), toB = gradient(b);
    for (let i = 0; i < pairs; i++) {
      multiply(g, i * m * n, b.data, i * k * n, toA, i * m * k, m, k, n);
      multiply(turned(a.data, i * m * k, m, k), 0, turned(g, i * m * n, m, n), 0, toB, i * k * n, k, n, m);
    }
  });
}

// --- rearranging

export const reshape = (x, shape) => tensor(x.data, shape, [x], (g) => addUp(gradient(x), g));
export const flatten = (x, { first = 1, last = x.shape.length - 1 } = {}) =>
  reshape(x, [...x.shape.slice(0, first), count(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);

// One axis into several; one of the sizes may be -1.
export function unflatten(x, { axis, sizes }) {
  const known = count(sizes.filter((side) => side > 0));
  return reshape(x, [...x.shape.slice(0, axis), ...sizes.map((side) => (side > 0 ? side : x.shape[axis] / known)), ...x.shape.slice(axis + 1)]);
}

// `places[i]` is where in x the i-th number of the result stands; -1 leaves a zero.
function picked(x, shape, places) {
  const y = array(places.length);
  for (let i = 0; i < y.length; i++) if (places[i] >= 0) y[i] = x.data[places[i]];
  return tensor(y, shape, [x], (g) => {
    const to = gradient(x);
    for (let i = 0; i < g.length; i++) if (places[i] >= 0) to[places[i]] += g[i];
  });
}

export function permute(x, { order }) {
  const steps = x.shape.map((_, axis) => count(x.shape.slice(axis + 1)));
  let places = [0];
  for (const axis of order) places = places.flatMap((place) => Array.from({ length: x.shape[axis] }, (_, i) => place + i * steps[axis]));
  return picked(x, order.map((axis) => x.shape[axis]), places);
}

// Along one axis: the numbers at `which`; -1 stands for a zero.
function along(x, axis, which) {
  const [outer, side, inner] = around(x.shape, axis), places = new Int32Array(outer * which.length * inner);
  let at = 0;
  for (let i = 0; i < outer; i++) for (const j of which) for (let k = 0; k < inner; k++) places[at++] = j < 0 ? -1 : (i * side + j) * inner + k;
  return picked(x, changed(x.shape, axis, which.length), places);
}

const range = (start, stop, step = 1) => Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);

export const slice = (x, { axis, start = 0, stop = Infinity, step = 1 }) => along(x, axis, range(start, Math.min(stop, x.shape[axis]), step));
export const select = (x, { axis, index }) => {
  const one = slice(x, { axis, start: index, stop: index + 1 });
  return reshape(one, one.shape.filter((_, i) => i !== axis));
};
export const pad = (x, { axis, before, after }) =>
  along(x, axis, [...Array(before).fill(-1), ...range(0, x.shape[axis]), ...Array(after).fill(-1)]);
export const expand = (x, times) => along(x, 0, Array(times).fill(0));

export function concat(parts, { axis }) {
  const sides = parts.map((part) => part.shape[axis]), whole = sides.reduce((sum, side) => sum + side, 0);
  let before = 0;
  return parts.map((part, i) => {
    const padded = pad(part, { axis, before, after: whole - before - sides[i] });
    before += sides[i];
    return padded;
  }).reduce(add);
}

// Mean over the axes `first` to `last`.
export function mean(x, { first = 0, last = x.shape.length - 1, keep = false } = {}) {
  const outer = count(x.shape.slice(0, first)), over = count(x.shape.slice(first, last + 1)), inner = count(x.shape.slice(last + 1));
  const y = array(outer * inner), kept = keep ? Array(last - first + 1).fill(1) : [];
  for (let k = 0; k < inner; k++) for (let i = 0; i < outer; i++) {
    let sum = 0;
    for (let j = 0; j < over; j++) sum += x.data[(i * over + j) * inner + k];
    y[i * inner + k] = sum / over;
  }
  return tensor(y, [...x.shape.slice(0, first), ...kept, ...x.shape.slice(last + 1)], [x], (g) => {
    const to = gradient(x);
    for (let i = 0; i < to.length; i++) to[i] += g[Math.floor(i / (over * inner)) * inner + (i % inner)] / over;
  });
}

// --- over the last axis

// Each row on its own: `f(row, out)` fills the result; `back(g, row, out, to)` adds the gradient.
function byRow(x, f, back) {
  const n = x.shape.at(-1), rows = x.data.length / n, cut = (data, i) => data.subarray(i * n, i * n + n);
  const y = tensor(array(x.data.length), x.shape, [x], (g) => {
    for (let i = 0; i < rows; i++) back(cut(g, i), cut(x.data, i), cut(y.data, i), cut(gradient(x), i));
  });
  for (let i = 0; i < rows; i++) f(cut(x.data, i), cut(y.data, i));
  return y;
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const sum = (a) => a.reduce((total, value) => total + value, 0);

// log of the sum of exp; the largest is taken out first, so that no exp overflows
function logSum(row, temperature) {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return top / temperature + Math.log(row.reduce((total, v) => total + Math.exp((v - top) / temperature), 0));
}

export const log_softmax = (x, { temperature = 1 } = {}) => byRow(x,
  (row, out) => { const all = logSum(row, temperature); for (let j = 0; j < row.length; j++) out[j] = row[j] / temperature - all; },
  (g, row, out, to) => { const all = sum(g); for (let j = 0; j < g.length; j++) to[j] += (g[j] - Math.exp(out[j]) * all) / temperature; });

export const softmax = (x, { temperature = 1 } = {}) => byRow(x,
  (row, out) => { const all = logSum(row, temperature); for (let j = 0; j < row.length; j++) out[j] = Math.exp(row[j] / temperature - all); },
  (g, row, out, to) => { const all = dot(g, out); for (let j = 0; j < g.length; j++) to[j] += (out[j] * (g[j] - all)) / temperature; });

// Each row divided by its length; a row shorter than `eps` by eps.
export const l2_normalise = (x, { eps = 1e-12 } = {}) => byRow(x,
  (row, out) => { const size = Math.max(Math.sqrt(dot(row, row)), eps); for (let j = 0; j < row.length; j++) out[j] = row[j] / size; },
  (g, row, out, to) => {
    const length = Math.sqrt(dot(row, row)), all = length > eps ? dot(g, out) : 0;
    for (let j = 0; j < g.length; j++) to[j] += (g[j] - out[j] * all) / Math.max(length, eps);
  });

// softmax(q k^T / sqrt(d)) v, each [B, h, N, d].
export function attention(q, k, v) {
  const last = q.shape.length - 1, order = q.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
  return matmul(softmax(matmul(q, permute(k, { order })), { temperature: Math.sqrt(q.shape[last]) }), v);
}

// Mean over the rows of -log of what the right class gets: logits [B, K], labels [B] whole numbers.
export function cross_entropy(logits, labels) {
  const [B, K] = logits.shape, logs = log_softmax(logits);
  return scale(mean(picked(logs, [B], Array.from(labels, (label, i) => i * K + label))), -1);
}

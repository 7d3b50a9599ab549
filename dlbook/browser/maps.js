// Operations on maps [B, C, H, W]: convolution, pooling, and the two normalisations.
import { add, mul, reshape } from "./operations.js";
import { array, count, gradient, multiply, tensor, turned } from "./tensor.js";

// Between the maps of one image and its patches: read them, or (`back`) add what belongs to them.
function windows(image, start, patches, { C, H, W, h, w, rows, columns, stride, padding, tap, place }, back) {
  for (let c = 0, t = 0; c < C; c++) for (let i = 0; i < h; i++) for (let j = 0; j < w; j++, t++) {
    for (let r = 0; r < rows; r++) {
      const y = r * stride[0] + i - padding[0];
      if (y < 0 || y >= H) continue;
      const line = start + (c * H + y) * W, to = t * tap + r * columns * place;
      for (let s = 0; s < columns; s++) {
        const x = s * stride[1] + j - padding[1];
        if (x < 0 || x >= W) continue;
        if (back) image[line + x] += patches[to + s * place];
        else patches[to + s * place] = image[line + x];
      }
    }
  }
}

// x [B, C, H, W], weight [O, C / groups, h, w], bias [O]: a product of the weights with the patches of each image.
export function conv2d(x, weight, bias, { stride = [1, 1], padding = [0, 0], groups = 1 } = {}) {
  const [B, all, H, W] = x.shape, [O, C, h, w] = weight.shape, out = O / groups, taps = C * h * w;
  const rows = Math.floor((H + 2 * padding[0] - h) / stride[0]) + 1, columns = Math.floor((W + 2 * padding[1] - w) / stride[1]) + 1;
  const places = rows * columns, sizes = { C, H, W, h, w, rows, columns, stride, padding };
  const byPlace = { ...sizes, tap: 1, place: taps }, byTap = { ...sizes, tap: places, place: 1 };
  const y = array(B * O * places), patches = array(places * taps);
  const each = (action) => {
    for (let b = 0; b < B; b++) for (let g = 0; g < groups; g++) action((b * all + g * C) * H * W, (b * O + g * out) * places, g * out * taps);
  };
  each((image, map, weights) => {
    windows(x.data, image, patches, byPlace);
    multiply(weight.data, weights, patches, 0, y, map, out, places, taps);
  });
  if (bias) for (let i = 0; i < y.length; i++) y[i] += bias.data[Math.floor(i / places) % O];
  return tensor(y, [B, O, rows, columns], bias ? [x, weight, bias] : [x, weight], (g) => {
    if (bias) for (let i = 0; i < g.length; i++) gradient(bias)[Math.floor(i / places) % O] += g[i];
    const patches = array(places * taps);
    each((image, map, weights) => {
      windows(x.data, image, patches, byTap);
      multiply(g, map, patches, 0, gradient(weight), weights, out, taps, places);
    });
    if (x.wanted) each((image, map, weights) => {
      const back = array(places * taps);
      multiply(turned(g, map, out, places), 0, turned(weight.data, weights, out, taps), 0, back, 0, places, taps, out);
      windows(gradient(x), image, back, byPlace, true);
    });
  });
}

// Windows along one axis: [from, to, by how many a mean divides].
const regular = (side, kernel, stride, padding) => Array.from({ length: Math.floor((side + 2 * padding - kernel) / stride) + 1 },
  (_, i) => [Math.max(0, i * stride - padding), Math.min(side, i * stride - padding + kernel), kernel]);
const adaptive = (side, parts) => Array.from({ length: parts }, (_, i) => [Math.floor((i * side) / parts), Math.ceil(((i + 1) * side) / parts)])
  .map(([from, to]) => [from, to, to - from]);

function pool(x, { kernel, stride = kernel, padding = [0, 0], size }, largest) {
  const [B, C, H, W] = x.shape;
  const [rows, columns] = [H, W].map((side, i) => (size ? adaptive(side, size[i]) : regular(side, kernel[i], stride[i], padding[i])));
  const y = array(B * C * rows.length * columns.length), chosen = new Int32Array(y.length);
  const each = (action) => {
    let at = 0;
    for (let map = 0; map < B * C; map++) for (const row of rows) for (const column of columns) action(at++, map * H * W, row, column);
  };
  each((at, map, [top, bottom, high], [left, right, wide]) => {
    let best = -1, total = 0;
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) {
      const place = map + i * W + j;
      total += x.data[place];
      if (best < 0 || x.data[place] > x.data[best]) best = place;
    }
    chosen[at] = best;
    y[at] = largest ? x.data[best] : total / (high * wide);
  });
  return tensor(y, [B, C, rows.length, columns.length], [x], (g) => {
    const to = gradient(x);
    each((at, map, [top, bottom, high], [left, right, wide]) => {
      if (largest) { to[chosen[at]] += g[at]; return; }
      for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) to[map + i * W + j] += g[at] / (high * wide);
    });
  });
}

export const max_pool2d = (x, options) => pool(x, options, true);
export const avg_pool2d = (x, options) => pool(x, options, false);

// Mean 0 and variance 1 for each group: x is [outer, groups, inner]. `given`: statistics to use instead of x's own.
function standardise(x, groups, eps, given) {
  const inner = count(x.shape.slice(2)), outer = x.data.length / groups / inner, n = outer * inner;
  const y = array(x.data.length), means = array(groups), variances = array(groups), roots = new Float64Array(groups);
  const each = (group, action) => {
    for (let o = 0; o < outer; o++) for (let i = 0, at = (o * groups + group) * inner; i < inner; i++, at++) action(at);
  };
  for (let group = 0; group < groups; group++) {
    let m = 0, v = 0;
    if (given) [m, v] = [given.mean[group], given.variance[group]];
    else {
      each(group, (at) => { m += x.data[at] / n; });
      each(group, (at) => { v += (x.data[at] - m) ** 2 / n; });
    }
    [means[group], variances[group], roots[group]] = [m, v, 1 / Math.sqrt(v + eps)];
    each(group, (at) => { y[at] = (x.data[at] - m) * roots[group]; });
  }
  const out = tensor(y, x.shape, [x], (g) => {
    const to = gradient(x);
    for (let group = 0; group < groups; group++) {
      let all = 0, along = 0; // the gradient's mean, and its mean product with the result
      if (!given) each(group, (at) => { all += g[at] / n; along += (g[at] * y[at]) / n; });
      each(group, (at) => { to[at] += (g[at] - all - y[at] * along) * roots[group]; });
    }
  });
  return { out, means, variances, n };
}

// `state` holds the running mean and variance (Float arrays); training uses the batch's own and moves the running ones.
export function batch_norm(x, gamma, beta, state, { training = true, momentum = 0.1, eps = 1e-5 } = {}) {
  const C = x.shape[1], inner = count(x.shape.slice(2));
  const { out, means, variances, n } = standardise(x, C, eps, training ? null : state);
  if (training) for (let c = 0; c < C; c++) {
    state.mean[c] += momentum * (means[c] - state.mean[c]);
    state.variance[c] += momentum * ((variances[c] * n) / (n - 1) - state.variance[c]); // torch keeps the unbiased one
  }
  const y = array(x.data.length);
  for (let i = 0; i < y.length; i++) { const c = Math.floor(i / inner) % C; y[i] = out.data[i] * gamma.data[c] + beta.data[c]; }
  return tensor(y, x.shape, [out, gamma, beta], (g) => {
    const to = gradient(out), scale = gradient(gamma), shift = gradient(beta);
    for (let i = 0; i < g.length; i++) {
      const c = Math.floor(i / inner) % C;
      to[i] += g[i] * gamma.data[c];
      scale[c] += g[i] * out.data[i];
      shift[c] += g[i];
    }
  });
}

// Over the last axis of each position.
export function layer_norm(x, gamma, beta, { eps = 1e-5 } = {}) {
  const D = x.shape.at(-1), rows = x.data.length / D;
  const { out } = standardise(reshape(x, [1, rows, D]), rows, eps);
  return add(mul(reshape(out, x.shape), gamma), beta);
}

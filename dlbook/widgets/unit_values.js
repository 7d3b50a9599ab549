// What each operation makes of the photographs, cell by cell; unit_values.py says the same, and a test holds both against torch.
export const CONVOLUTION = "convolution", MAXIMUM = "max pooling", AVERAGE = "average pooling", NORM = "batch norm", ATTENTION = "attention";
const EPS = 1e-5;

// Whether an output is a number with a sign; else it is pixels again, from 0 to 1.
export const isSigned = (operation) => operation === CONVOLUTION || operation === NORM;

// Window, stride, padding, dilation, and output cells along an axis.
export function geometry(spec, values) {
  const operation = values.operation, shape = { window: 1, stride: 1, padding: 0, dilation: 1 };
  if (operation === ATTENTION) Object.assign(shape, { window: spec.patch, stride: spec.patch });
  else if (operation !== NORM) {
    const { stride, padding, dilation, window, kernel } = values;
    Object.assign(shape, { stride, padding, dilation, window: spec.kernels[kernel].length });
    if (operation !== CONVOLUTION) Object.assign(shape, { window, padding: Math.min(padding, Math.floor(window / 2)) });
    if (operation === AVERAGE) shape.dilation = 1;
  }
  return { ...shape, cells: Math.floor((spec.side + 2 * shape.padding - shape.dilation * (shape.window - 1) - 1) / shape.stride) + 1 };
}

// The cells of the window of one output cell, row by row; beyond the edge `value` is null.
export function windowAt(picture, side, { window, stride, padding, dilation }, row, column) {
  const found = [];
  for (let a = 0; a < window; a++) for (let b = 0; b < window; b++) {
    const y = row * stride - padding + a * dilation, x = column * stride - padding + b * dilation;
    found.push({ y, x, value: y < 0 || x < 0 || y >= side || x >= side ? null : picture[y * side + x] });
  }
  return found;
}

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

// Mean and variance over all photographs.
export function moments(pixels) {
  const middle = mean(pixels);
  return { mean: middle, variance: mean(pixels.map((v) => (v - middle) ** 2)) };
}

export const normed = (value, { mean: middle, variance }) => (value - middle) / Math.sqrt(variance + EPS);

// The patches as rows, and of each the weights over all of them.
export function attention(picture, side, patch, sharpness) {
  const count = side / patch, size = patch * patch, patches = [];
  for (let p = 0; p < count * count; p++) {
    const top = Math.floor(p / count) * patch, left = (p % count) * patch;
    patches.push(Float64Array.from({ length: size }, (_, k) => picture[(top + Math.floor(k / patch)) * side + left + (k % patch)]));
  }
  const middle = patches[0].map((_, k) => mean(patches.map((one) => one[k])));
  const centred = patches.map((one) => one.map((v, k) => v - middle[k]));
  const weights = centred.map((query) => {
    const scores = centred.map((key) => (sharpness * query.reduce((sum, v, k) => sum + v * key[k], 0)) / patch), top = Math.max(...scores);
    const raised = scores.map((score) => Math.exp(score - top)), total = raised.reduce((sum, v) => sum + v, 0);
    return raised.map((v) => v / total);
  });
  return { patches, weights };
}

function attended(picture, side, patch, sharpness) {
  const { patches, weights } = attention(picture, side, patch, sharpness), count = side / patch, out = new Float64Array(side * side);
  weights.forEach((row, p) => row.forEach((weight, q) => patches[q].forEach((v, k) => {
    out[(Math.floor(p / count) * patch + Math.floor(k / patch)) * side + (p % count) * patch + (k % patch)] += weight * v;
  })));
  return out;
}

// One output cell of a convolution or a pooling, from its window. Average pooling counts the padding as zeros, as torch does.
export function cellOf(spec, values, seen) {
  if (values.operation === MAXIMUM) return Math.max(...seen.map(({ value }) => value ?? -Infinity));
  const weights = values.operation === AVERAGE ? null : spec.kernels[values.kernel].flat();
  return seen.reduce((sum, { value }, k) => sum + (value ?? 0) * (weights ? weights[k] : 1 / seen.length), 0);
}

// All output cells; of an attention all pixels. `pixels` holds the photographs one after the other, values in [0, 1].
export function output(spec, pixels, values) {
  const { side } = spec, shape = geometry(spec, values), at = spec.parameters.photograph.indexOf(values.photograph);
  const picture = pixels.subarray(at * side * side, (at + 1) * side * side);
  if (values.operation === ATTENTION) return { ...shape, picture, values: attended(picture, side, spec.patch, values.sharpness) };
  if (values.operation === NORM) {
    const both = moments(pixels);
    return { ...shape, picture, values: picture.map((v) => values["γ"] * normed(v, both) + values["β"]) };
  }
  const made = new Float64Array(shape.cells ** 2).map((_, k) =>
    cellOf(spec, values, windowAt(picture, side, shape, Math.floor(k / shape.cells), k % shape.cells)));
  return { ...shape, picture, values: made };
}

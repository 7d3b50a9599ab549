// Two pictures mixed by mixup or by CutMix, and what a network of two layers makes of the mixture. mixed_rule.py does the same.

// The box of CutMix around a pixel: [top, bottom, left, right] before it is cut off at the border, and after.
export function box(side, weight, row, column) {
  const half = Math.trunc(0.5 * Math.sqrt(1 - weight) * side), drawn = [row - half, row + half, column - half, column + half];
  return { drawn, cut: drawn.map((v) => Math.max(0, Math.min(side, v))) };
}

// The share of the first picture that is left when λ, row and column were drawn.
export function kept(side, { rule, weight, row, column }) {
  if (rule === "mixup") return weight;
  const [top, bottom, left, right] = box(side, weight, row, column).cut;
  return 1 - ((bottom - top) * (right - left)) / side ** 2;
}

// The mixture, pixel by pixel.
export function mix(first, second, side, how) {
  if (how.rule === "mixup") return first.map((v, i) => how.weight * v + (1 - how.weight) * second[i]);
  const [top, bottom, left, right] = box(side, how.weight, how.row, how.column).cut;
  return first.map((v, i) => {
    const y = Math.floor(i / side), x = i % side;
    return y >= top && y < bottom && x >= left && x < right ? second[i] : v;
  });
}

// Means over squares, so that the picture has as many pixels as the network has inputs.
export function shrunk(pixels, side, factor) {
  const less = side / factor, out = new Array(less * less).fill(0);
  pixels.forEach((v, i) => { out[Math.floor(Math.floor(i / side) / factor) * less + Math.floor((i % side) / factor)] += v / factor ** 2; });
  return out;
}

// Probabilities of a network { w1, b1, w2, b2 }.
export function run(net, x) {
  const layer = (w, b, a) => w.map((row, j) => row.reduce((sum, v, i) => sum + v * a[i], b[j]));
  const z = layer(net.w2, net.b2, layer(net.w1, net.b1, x).map((v) => Math.max(0, v))), top = Math.max(...z), powers = z.map((v) => Math.exp(v - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}

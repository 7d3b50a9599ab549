// Which cells of a block [N, C, H, W] share a mean, and what each normalisation makes of them; norms_rules.py says the same.
export const EPS = 1e-5;

// A number for each cell, the same for those that share their statistics.
export function keys(kind, groups, [N, C, H, W]) {
  const found = new Int32Array(N * C * H * W), size = C / groups;
  for (let n = 0, i = 0; n < N; n++) for (let c = 0; c < C; c++) for (let h = 0; h < H; h++) for (let w = 0; w < W; w++, i++) {
    found[i] = kind === "batch" ? c : kind === "group" ? n * groups + Math.floor(c / size) : kind === "instance" ? n * C + c : (n * H + h) * W + w;
  }
  return found;
}

// Count, mean and deviation of the cells with a key; of RMS the mean is 0, and the deviation is the root mean square.
function statistics(block, kind, key, inside) {
  const found = new Map();
  for (let i = 0; i < inside; i++) {
    const one = found.get(key[i]) ?? { count: 0, mean: 0, squares: 0 };
    found.set(key[i], one);
    one.count += 1;
    one.mean += block[i];
  }
  for (const one of found.values()) one.mean = kind === "RMS" ? 0 : one.mean / one.count;
  for (let i = 0; i < inside; i++) found.get(key[i]).squares += (block[i] - found.get(key[i]).mean) ** 2;
  for (const one of found.values()) one.deviation = Math.sqrt(one.squares / one.count);
  return found;
}

// What the figure shows: keys, statistics by key, and the block afterwards; NaN for images beyond the batch.
export function normalised(block, kind, groups, images, shape) {
  const key = keys(kind, groups, shape), inside = (images * block.length) / shape[0], by = statistics(block, kind, key, inside);
  const after = Float64Array.from(block, (v, i) => (i < inside ? (v - by.get(key[i]).mean) / Math.sqrt(by.get(key[i]).deviation ** 2 + EPS) : NaN));
  return { key, by, after, inside };
}

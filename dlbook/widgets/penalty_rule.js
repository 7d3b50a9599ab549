// Where a quadratic loss of two weights and a penalty are smallest together, and the curves around it. penalty.py has the same.

const dot = (p, q) => p[0] * q[0] + p[1] * q[1];
const times = (H, w) => [dot(H[0], w), dot(H[1], w)];

export const loss = (H, m, w) => { const off = [w[0] - m[0], w[1] - m[1]]; return dot(off, times(H, off)) / 2; };
export const cost = (share, w) => share * (Math.abs(w[0]) + Math.abs(w[1])) + (1 - share) * dot(w, w);

// The w that minimises loss + l1 |w|₁ + l2 |w|². Each pattern of signs is tried: on it the problem is linear.
export function minimiser(H, m, l1, l2) {
  const pull = times(H, m), a = H[0][0] + 2 * l2, b = H[0][1], d = H[1][1] + 2 * l2;
  let best = [0, 0], least = Infinity;
  for (const s of [-1, 0, 1]) for (const t of [-1, 0, 1]) {
    const p = pull[0] - l1 * s, q = pull[1] - l1 * t;
    const w = s && t ? [(d * p - b * q) / (a * d - b * b), (a * q - b * p) / (a * d - b * b)] : [s ? p / a : 0, t ? q / d : 0];
    if (w[0] * s < 0 || w[1] * t < 0) continue;  // a weight that left its side: the formula of this pattern does not hold there
    const value = loss(H, m, w) + l1 * (Math.abs(w[0]) + Math.abs(w[1])) + l2 * dot(w, w);
    if (value < least - 1e-12) { best = w; least = value; }
  }
  return best;
}

// Eigenvalues of H and its eigenvectors, as rows.
export function axes([[a, b], [, d]]) {
  const middle = (a + d) / 2, half = Math.hypot((a - d) / 2, b), angle = Math.atan2(2 * b, a - d) / 2;
  return { h: [middle + half, middle - half], ways: [[Math.cos(angle), Math.sin(angle)], [-Math.sin(angle), Math.cos(angle)]] };
}

// Where gradient descent with small steps from 0 stands after `time`, which is steps times rate.
export function descended(H, m, time) {
  const { h, ways } = axes(H), parts = ways.map((way, i) => (1 - Math.exp(-h[i] * time)) * dot(way, m));
  return [0, 1].map((k) => parts[0] * ways[0][k] + parts[1] * ways[1][k]);
}

// The border of {w: share |w|₁ + (1 − share) |w|² ≤ bound}, a place every two degrees.
export function region(share, bound) {
  return Array.from({ length: 180 }, (_, k) => {
    const way = [Math.cos((k * Math.PI) / 90), Math.sin((k * Math.PI) / 90)], a = share * (Math.abs(way[0]) + Math.abs(way[1])), b = 1 - share;
    const reach = b === 0 ? bound / a : (-a + Math.sqrt(a * a + 4 * b * bound)) / (2 * b);
    return way.map((v) => v * reach);
  });
}

// Places around the minimum where the loss has one value.
export function ellipse(H, m, value) {
  const { h, ways } = axes(H);
  return Array.from({ length: 90 }, (_, k) => {
    const parts = [Math.cos((k * Math.PI) / 45) * Math.sqrt((2 * value) / h[0]), Math.sin((k * Math.PI) / 45) * Math.sqrt((2 * value) / h[1])];
    return [0, 1].map((i) => m[i] + parts[0] * ways[0][i] + parts[1] * ways[1][i]);
  });
}

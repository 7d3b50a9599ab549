// The perceptron's rule on points of two classes, and the bound on its mistakes. separator.py has the same.

// The course of the rule over points [x, y, label], shown in order again and again: weights [w1, w2, b] at the start and
// after each mistake. It ends where a whole pass is right, or after `most` mistakes.
export function course(points, most) {
  const n = points.length, states = [{ weights: [0, 0, 0], missed: null }], seen = new Map();
  let weights = [0, 0, 0], right = 0, circle = null;
  for (let look = 0; right < n && states.length <= most; look++) {
    const missed = look % n, [x, y, label] = points[missed];
    const answer = weights[0] * x + weights[1] * y + weights[2] >= 0 ? 1 : 0;
    if (answer === label) { right += 1; continue; }
    right = 0;
    weights = [x, y, 1].map((input, i) => weights[i] + (label - answer) * input);
    const key = `${missed} ${weights}`;
    if (seen.has(key)) circle ??= [seen.get(key), states.length];  // the same weights before the same point: it will go round
    else seen.set(key, states.length);
    states.push({ weights, missed, sign: label - answer });
  }
  return { states, stopped: right >= n, circle };
}

const dot = (p, q) => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];

// The solution of a small system with a right side of ones; null if it has none or many.
function solved(matrix) {
  const rows = matrix.map((row) => [...row, 1]), n = rows.length;
  for (let k = 0; k < n; k++) {
    const best = rows.reduce((at, row, i) => (i >= k && Math.abs(row[k]) > Math.abs(rows[at][k]) ? i : at), k);
    if (Math.abs(rows[best][k]) < 1e-10) return null;
    [rows[k], rows[best]] = [rows[best], rows[k]];
    rows.forEach((row, i) => {
      if (i === k) return;
      const part = row[k] / rows[k][k];
      row.forEach((_, j) => { row[j] -= part * rows[k][j]; });
    });
  }
  return rows.map((row, i) => row[n] / row[i]);
}

// Radius R of the inputs [x, y, 1], largest margin of a line, and the bound (R / margin)²; the margin is 0 if no line separates.
// The best line rests on one, two or three points: each set of them is tried.
export function bound(points) {
  const signed = points.map(([x, y, label]) => [x, y, 1].map((v) => (label ? v : -v))), n = signed.length;
  const radius = Math.sqrt(Math.max(0, ...signed.map((p) => dot(p, p))));
  const holds = (corners) => {
    const shares = solved(corners.map((p) => corners.map((q) => dot(p, q))));
    if (!shares || shares.some((share) => share < -1e-9)) return null;
    const w = [0, 1, 2].map((i) => corners.reduce((sum, p, k) => sum + shares[k] * p[i], 0));
    return signed.every((p) => dot(w, p) > 1 - 1e-7) ? 1 / Math.sqrt(dot(w, w)) : null;
  };
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) for (let k = j; k < n; k++) {
    if (j === i && k > j) continue;  // one point is (i, i, i), two are (i, j, j)
    const margin = holds([...new Set([i, j, k])].map((at) => signed[at]));
    if (margin !== null) return { radius, margin, most: Math.floor((radius / margin) ** 2 + 1e-6) };
  }
  return { radius, margin: 0, most: Infinity };
}

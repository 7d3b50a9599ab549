// Tensors, and the way back: every result remembers what it was made from and how its gradient goes on to them.
// The last axis is the fastest; images are [B, C, H, W].

export const precision = { Numbers: Float32Array }; // proofs by finite differences calculate in Float64Array
let made = 0;

export const count = (shape) => shape.reduce((product, side) => product * side, 1);
export const array = (size) => new precision.Numbers(size);

// back(g) adds to the gradients of `from`, given the gradient g of this tensor.
export function tensor(data, shape, from = [], back = null) {
  const wanted = from.some((parent) => parent.wanted);
  return { data, shape, wanted, from: wanted ? from : [], back: wanted ? back : null, grad: null, order: made++ };
}

export const constant = (values, shape) => tensor(precision.Numbers.from(values), shape);
export const parameter = (values, shape) => Object.assign(constant(values, shape), { wanted: true });

// Stop-gradient: the same numbers, and nothing goes back.
export const detach = (x) => tensor(x.data, x.shape);

// Where the gradient of x is added up.
export const gradient = (x) => (x.grad ??= array(x.data.length));

export function addUp(target, values) {
  for (let i = 0; i < target.length; i++) target[i] += values[i];
}

// Bring the gradient of a single number back to everything that it was made from.
export function backward(loss) {
  const seen = new Set(), todo = [loss];
  while (todo.length) {
    const x = todo.pop();
    if (!x.wanted || seen.has(x)) continue;
    seen.add(x);
    todo.push(...x.from);
  }
  gradient(loss)[0] = 1;
  // what was made last comes first
  for (const x of [...seen].sort((one, other) => other.order - one.order)) if (x.back && x.grad) x.back(x.grad);
}

// Rows and columns exchanged.
export function turned(data, start, rows, columns) {
  const out = array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[start + i * columns + j];
  return out;
}

// C[i, j] += sum over t of A[i, t] B[j, t]: every product of matrices in the engine. Two rows by four at a time, for
// then each number that is read is used more than once.
export function multiply(A, a, B, b, C, c, m, n, k) {
  for (let i = 0; i < m; i += 2) {
    const two = i + 1 < m, a0 = a + i * k, a1 = two ? a0 + k : a0;
    for (let j = 0; j < n; j += 4) {
      const left = n - j, b0 = b + j * k, b1 = left > 1 ? b0 + k : b0, b2 = left > 2 ? b1 + k : b0, b3 = left > 3 ? b2 + k : b0;
      let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      for (let t = 0; t < k; t++) {
        const p = A[a0 + t], q = A[a1 + t], w = B[b0 + t], x = B[b1 + t], y = B[b2 + t], z = B[b3 + t];
        s00 += p * w; s01 += p * x; s02 += p * y; s03 += p * z;
        s10 += q * w; s11 += q * x; s12 += q * y; s13 += q * z;
      }
      const at = c + i * n + j, under = at + n;
      C[at] += s00;
      if (left > 1) C[at + 1] += s01;
      if (left > 2) C[at + 2] += s02;
      if (left > 3) C[at + 3] += s03;
      if (!two) continue;
      C[under] += s10;
      if (left > 1) C[under + 1] += s11;
      if (left > 2) C[under + 2] += s12;
      if (left > 3) C[under + 3] += s13;
    }
  }
}

// The digits for a training in the page: loaded once for all figures, when the reader first asks for them.
import { siteFile } from "./site_file.js";

const FILE = { name: "digits", variable: "dlbookDigits", words: "digits" };
let digits = null;

// Side by side, two pixels a byte: each of the 16 levels a byte of its own.
function levels(bytes, n, side) {
  const out = new Uint8Array(n * side * side);
  for (let i = 0; i < out.length; i += 2) { out[i] = bytes[i / 2] >> 4; out[i + 1] = bytes[i / 2] & 15; }
  return out;
}

// Sums over squares of 2 x 2: the levels become four times as many.
function halved(pixels, n, side) {
  const half = side / 2, out = new Uint8Array(n * half * half);
  for (let i = 0, at = 0; i < n; i++) for (let y = 0; y < half; y++) for (let x = 0; x < half; x++, at++) {
    const place = (i * side + 2 * y) * side + 2 * x;
    out[at] = pixels[place] + pixels[place + 1] + pixels[place + side] + pixels[place + side + 1];
  }
  return out;
}

// { train, test }: each { images, labels, top }.
async function prepared(model, { train, test, side, small, top, sha256 }) {
  const n = train + test, bytes = await siteFile(model, { ...FILE, sha256, count: n * ((side * side) / 2 + 1) });
  const whole = levels(bytes, n, side), images = small ? halved(whole, n, side) : whole, size = images.length / n, labels = bytes.subarray(bytes.length - n);
  const part = (from, to) => ({ images: images.slice(from * size, to * size), labels: labels.slice(from, to), top: small ? 4 * top : top });
  return { train: part(0, train), test: part(train, n) };
}

// A failed try is forgotten, so that the reader can try again.
export const loadDigits = (model, spec) => (digits ??= prepared(model, spec).catch((error) => { digits = null; throw error; }));

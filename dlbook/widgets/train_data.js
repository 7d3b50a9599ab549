// The digits for a training in the page: loaded once for all figures, when the reader first asks for them.
import { inflatedBytes } from "./controls.js";

let digits = null;

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

// On the site a script beside the page, which a page that was opened as a file may load too; in a notebook the kernel is asked.
function text(model) {
  const root = document.documentElement.dataset.content_root;
  return new Promise((done, fail) => {
    const none = () => fail(new Error("The digits could not be loaded. They are the file _static/digits.js of this site."));
    if (globalThis.dlbookDigits) done(globalThis.dlbookDigits);
    else if (root === undefined) {
      setTimeout(none, 8000);
      model.on("msg:custom", (message) => { if (message.digits) done(message.digits); });
      model.send({ ask: "digits" });
    } else {
      const script = document.createElement("script");
      script.onload = () => (globalThis.dlbookDigits ? done(globalThis.dlbookDigits) : none());
      script.onerror = none;
      script.src = `${root}_static/digits.js`;
      document.head.append(script);
    }
  });
}

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
  const bytes = await inflatedBytes(await text(model)), n = train + test;
  // a page without a secure address has no crypto.subtle: there only the length is known
  const right = bytes.length === n * ((side * side) / 2 + 1);
  if (!right || (crypto.subtle && hex(await crypto.subtle.digest("SHA-256", bytes)) !== sha256)) throw new Error("The digits are not those that this figure was made with.");
  const whole = levels(bytes, n, side), images = small ? halved(whole, n, side) : whole, size = images.length / n, labels = bytes.subarray(bytes.length - n);
  const part = (from, to) => ({ images: images.slice(from * size, to * size), labels: labels.slice(from, to), top: small ? 4 * top : top });
  return { train: part(0, train), test: part(train, n) };
}

// A failed try is forgotten, so that the reader can try again.
export const loadDigits = (model, spec) => (digits ??= prepared(model, spec).catch((error) => { digits = null; throw error; }));

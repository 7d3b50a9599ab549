// What each augmentation makes of a picture, [side, side, 3] flat with values in [0, 1]; augmented_rules.py says the same.
// `generator` of browser/random.js comes before this file.

const MOVES = ["rotation", "shift", "scaling", "shear", "flip"], VALUES = ["brightness", "contrast", "saturation", "hue", "PCA colour"];
const NOISES = ["Gaussian noise", "salt and pepper"], GREY = [0.2989, 0.587, 0.114], SEED = 5;
const within = (v, low, high) => Math.max(low, Math.min(high, v)), unit = (v) => within(v, 0, 1);

// a ... f: the result at (x, y) is taken from (a x + b y + c, d x + e y + f), in pixels from the centre.
export function inverse(kind, s, side) {
  if (kind === "rotation") return [Math.cos(Math.PI * s), -Math.sin(Math.PI * s), 0, Math.sin(Math.PI * s), Math.cos(Math.PI * s), 0];
  if (kind === "shift") return [1, 0, (-s * side) / 2, 0, 1, 0];
  if (kind === "scaling") return [3 ** -s, 0, 0, 0, 3 ** -s, 0];
  if (kind === "shear") return [1, Math.tan((Math.PI / 4) * s), 0, 0, 1, 0];
  return [kind === "flip" ? -1 : 1, 0, 0, 0, 1, 0];
}

// The place, row and column, that a pixel of the result asks.
export function source(kind, s, side, [row, column]) {
  const [a, b, c, d, e, f] = inverse(kind, s, side), middle = (side - 1) / 2, y = row - middle, x = column - middle;
  return [d * x + e * y + f + middle, a * x + b * y + c + middle];
}

// The pixels that answer: row, column, weight.
export function neighbours([row, column], mode) {
  if (mode === "nearest") return [[Math.floor(row + 0.5), Math.floor(column + 0.5), 1]];
  const top = Math.floor(row), left = Math.floor(column), down = row - top, right = column - left;
  return [[top, left, (1 - down) * (1 - right)], [top, left + 1, (1 - down) * right], [top + 1, left, down * (1 - right)], [top + 1, left + 1, down * right]];
}

function sampled(picture, side, kind, s, mode) {
  const result = new Float64Array(picture.length);
  for (let i = 0; i < side * side; i++) for (const [r, c, weight] of neighbours(source(kind, s, side, [Math.floor(i / side), i % side]), mode)) {
    if (r < 0 || r >= side || c < 0 || c >= side) continue;
    for (let k = 0; k < 3; k++) result[3 * i + k] += weight * picture[3 * (r * side + c) + k];
  }
  return result;
}

function turned([red, green, blue], turns) {
  const high = Math.max(red, green, blue), span = high - Math.min(red, green, blue);
  const sector = high === red ? green - blue : high === green ? blue - red : red - green, start = high === red ? 0 : high === green ? 2 : 4;
  return [5, 3, 1].map((own) => {
    const away = (((own + sector / (span || 1) + start + 6 * turns) % 6) + 6) % 6;
    return high - span * unit(Math.min(away, 4 - away));
  });
}

function recoloured(picture, kind, s, axis) {
  const result = new Float64Array(picture.length), greyAt = (i) => GREY[0] * picture[i] + GREY[1] * picture[i + 1] + GREY[2] * picture[i + 2];
  let mean = 0;
  for (let i = 0; i < picture.length; i += 3) mean += (3 * greyAt(i)) / picture.length;
  for (let i = 0; i < picture.length; i += 3) {
    const grey = kind === "contrast" ? mean : greyAt(i), hue = kind === "hue" ? turned(picture.slice(i, i + 3), s / 2) : null;
    for (let k = 0; k < 3; k++) {
      const v = picture[i + k];
      result[i + k] = hue ? hue[k] : kind === "brightness" ? unit((1 + s) * v) : kind === "PCA colour" ? unit(v + s * axis[k]) : unit(grey + (1 + s) * (v - grey));
    }
  }
  return result;
}

function noisy(picture, kind, s) {
  const draw = generator(SEED), result = Float64Array.from(picture);
  if (kind === "Gaussian noise") return result.map((v) => unit(v + (s / 2) * draw.normal()));
  for (let i = 0; i < picture.length; i += 3) {
    const u = draw.uniform();
    if (u < Math.abs(s)) result.fill(u < Math.abs(s) / 2 ? 1 : 0, i, i + 3);
  }
  return result;
}

// Top, bottom, left, right of what is erased.
export function hole(kind, s, side, [row, column]) {
  if (kind === "cutout") {
    const half = Math.floor((Math.abs(s) * side) / 2);
    return [row - half, row + half, column - half, column + half].map((v) => within(v, 0, side));
  }
  const area = 0.4 * Math.abs(s) * side ** 2, high = Math.floor(Math.sqrt(area / 2) + 0.5), wide = Math.floor(Math.sqrt(area * 2) + 0.5);
  const top = within(row - Math.floor(high / 2), 0, side - high), left = within(column - Math.floor(wide / 2), 0, side - wide);
  return [top, top + high, left, left + wide];
}

function erased(picture, side, kind, s, place) {
  const [top, bottom, left, right] = hole(kind, s, side, place), result = Float64Array.from(picture), draw = generator(SEED);
  for (let r = top; r < bottom; r++) for (let i = 3 * (r * side + left); i < 3 * (r * side + right); i++) result[i] = kind === "cutout" ? 0 : draw.uniform();
  return result;
}

export const moves = (kind) => MOVES.includes(kind);
export const erases = (kind) => kind === "cutout" || kind === "random erasing";

export function changed(picture, side, kind, s, place, mode, axis) {
  if (moves(kind)) return sampled(picture, side, kind, s, mode);
  if (VALUES.includes(kind)) return recoloured(picture, kind, s, axis);
  return NOISES.includes(kind) ? noisy(picture, kind, s) : erased(picture, side, kind, s, place);
}

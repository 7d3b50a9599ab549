// What the two networks make of a picture, and what their answer rests on. Everything is computed by the engine, as torch computes it.
import { SIDE } from "./draw_pad.js";

const PATCH = 4, STRIDE = 2, PLACES = (SIDE - PATCH) / STRIDE + 1; // of the covered squares

// {name: network} from the bytes of the site's file.
export function opened(bytes) {
  const { array, backward, constant, cross_entropy, log_softmax, matmul, network, parameter, permute, softmax, unpacked } = engine();
  const nets = {}, logs = (results) => Array.from(log_softmax(results.at(-1)).data);
  const made = (graph, net) => ({
    graph, tensors: net.tensors,
    // All results, and the probabilities of the ten digits.
    look(pixels) {
      const results = net.run(constant(pixels, [1, 1, SIDE, SIDE]));
      return { results, probabilities: logs(results).map(Math.exp) };
    },
    // Of each block the weights of attention, [heads, tokens, tokens].
    attention: (results) => graph.operations.filter(([name]) => name === "attention").map(([, [q, k]]) => {
      const [query, key] = [results[q], results[k]];
      return softmax(matmul(query, permute(key, { order: [0, 1, 3, 2] })), { temperature: Math.sqrt(query.shape[3]) });
    }),
    // By how much the log of a digit's probability grows with the ink of each pixel.
    gradient(pixels, digit) {
      const image = parameter(pixels, [1, 1, SIDE, SIDE]);
      backward(cross_entropy(net.run(image).at(-1), [digit]));
      net.parameters.forEach((each) => { each.grad = null; });
      return image.grad.map((v) => -v);
    },
    // By how much the log of each digit's probability falls when a row of squares is covered, one after the other: [PLACES, 10].
    covered(pixels, row, whole) {
      const images = array(PLACES * SIDE * SIDE);
      for (let p = 0; p < PLACES; p++) {
        images.set(pixels, p * SIDE * SIDE);
        for (let y = 0; y < PATCH; y++) {
          const from = (p * SIDE + row * STRIDE + y) * SIDE + p * STRIDE;
          images.fill(0, from, from + PATCH);
        }
      }
      const found = logs(net.run(constant(images, [PLACES, 1, SIDE, SIDE])));
      return found.map((v, i) => Math.log(whole[i % 10]) - v);
    },
  });
  for (const [name, { graph, entries, data }] of Object.entries(JSON.parse(new TextDecoder().decode(bytes)))) {
    nets[name] = made(graph, network(graph, unpacked(entries, Uint8Array.from(atob(data), (c) => c.charCodeAt(0)))));
  }
  return nets;
}

// All squares, a row at a time with a pause between two; null where the picture has changed meanwhile.
export async function occlusion(net, pixels, whole, current) {
  const falls = [];
  for (let row = 0; row < PLACES; row++) {
    await new Promise((done) => { setTimeout(done); });
    if (!current()) return null;
    falls.push(...net.covered(pixels, row, whole));
  }
  return falls;
}

// Of one digit, on the pixels: the mean over the squares that covered each.
export function spread(falls, digit) {
  const sum = new Float32Array(SIDE * SIDE), count = new Float32Array(SIDE * SIDE);
  for (let p = 0; p < PLACES * PLACES; p++) for (let k = 0; k < PATCH * PATCH; k++) {
    const at = (Math.floor(p / PLACES) * STRIDE + Math.floor(k / PATCH)) * SIDE + (p % PLACES) * STRIDE + (k % PATCH);
    sum[at] += falls[p * 10 + digit];
    count[at] += 1;
  }
  return sum.map((v, i) => v / count[i]);
}

const CALLED = { relu: "stage", max_pool2d: "largest of each window", linear: "classes" };

// The layers that are shown of a ConvNet: what a stage gives after its ReLU, the pooling, and the classes.
export function layersOf({ graph }, results) {
  let stage = 0, before = 0;
  return graph.operations.flatMap(([kind, inputs], i) => {
    if (!CALLED[kind]) return [];
    const norm = kind === "relu" ? inputs[0] : null, product = norm ? graph.operations[norm - 1][1][0] : i + 1, [, maps, side = 1] = results[i + 1].shape;
    const layer = { kind, maps, side, at: i + 1, norm, product, before, name: kind === "relu" ? `stage ${++stage}` : CALLED[kind] };
    before = i + 1;
    return [layer];
  });
}

// What one cell of such a layer is made of: of each map below it the window, its weights and the sum of their products.
export function cellOf({ graph, tensors }, results, layer, map, y, x) {
  const value = (at) => results[at].data[(map * layer.side + y) * layer.side + x], [, inputs, options] = graph.operations[layer.product - 1];
  const source = results[layer.before], [, maps, H, W] = source.shape, read = (c, i, j) => ({ y: i, x: j, value: i < 0 || j < 0 || i >= H || j >= W ? null : source.data[(c * H + i) * W + j] });
  if (layer.kind === "max_pool2d") {
    const part = (n, side) => [Math.floor((n * side) / layer.side), Math.ceil(((n + 1) * side) / layer.side)], [top, bottom] = part(y, H), [left, right] = part(x, W), seen = [];
    for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) seen.push(read(map, i, j));
    return { value: value(layer.at), windows: [{ map, seen, weights: null }] };
  }
  const weights = tensors[inputs[1]], wide = layer.kind === "linear" ? W : weights.shape[3], taps = wide * wide;
  const { stride = [1, 1], padding = [0, 0] } = layer.kind === "linear" ? {} : options;
  const windows = Array.from({ length: maps }, (_, c) => {
    const seen = Array.from({ length: taps }, (_, k) => read(c, y * stride[0] - padding[0] + Math.floor(k / wide), x * stride[1] - padding[1] + (k % wide)));
    const own = Array.from(weights.data.subarray((map * maps + c) * taps, (map * maps + c + 1) * taps));
    return { map: c, seen, weights: own, sum: seen.reduce((sum, cell, k) => sum + (cell.value ?? 0) * own[k], 0) };
  });
  const bias = inputs[2] ? tensors[inputs[2]].data[map] : null;
  return { value: value(layer.at), windows, bias, total: value(layer.product), normed: layer.norm ? value(layer.norm) : null };
}

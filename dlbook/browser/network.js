// A network as export.py writes it: a list of operations, and the numbers of its parameters and buffers.
import { avg_pool2d, batch_norm, conv2d, layer_norm, max_pool2d } from "./maps.js";
import { add, attention, concat, expand, flatten, gelu, l2_normalise, leaky_relu, linear, log_softmax, matmul, mean, mul, pad, permute,
  relu, reshape, select, sigmoid, silu, slice, softmax, tanh, unflatten } from "./operations.js";
import { constant, count, parameter } from "./tensor.js";

// A number of 16 bits: sign, five bits of exponent, ten of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
}

// {name: numbers} from the bytes; `entries` are [name, shape, kind, scales].
export function unpacked(entries, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset), numbers = {};
  let at = 0;
  for (const [name, shape, kind, scales] of entries) {
    const n = count(shape), each = n / (scales?.length || 1);
    const read = { int8: (i) => view.getInt8(at + i) * scales[Math.floor(i / each)], float16: (i) => half(view.getUint16(at + 2 * i, true)),
      float32: (i) => view.getFloat32(at + 4 * i, true) }[kind];
    numbers[name] = Array.from({ length: n }, (_, i) => read(i));
    at += n * { int8: 1, float16: 2, float32: 4 }[kind];
  }
  return numbers;
}

// The operations by the names that export.py gives them.
const known = { add, attention, avg_pool2d, flatten, gelu, l2_normalise, layer_norm, leaky_relu, linear, log_softmax, matmul, max_pool2d, mean, mul,
  pad, permute, relu, reshape, select, sigmoid, silu, slice, softmax, tanh, unflatten };
// Those that take their inputs in another way, or need the size of the batch or the mode.
const special = {
  expand: ([x], options, B) => expand(x, B),
  concat,
  conv2d: ([x, weight, bias], options) => conv2d(x, weight, bias, options),
  linear: ([x, weight, bias]) => linear(x, weight, bias),
  batch_norm: ([x, gamma, beta, mean, variance], options, B, training) =>
    batch_norm(x, gamma, beta, { mean: mean.data, variance: variance.data }, { ...options, training }),
};

// graph: { operations: [[name, inputs, options, layer]], parameters: {name: shape}, buffers: {name: shape} }. An input
// is the number of an earlier result (0: the images) or the name of a parameter or buffer.
export function network(graph, numbers) {
  const tensors = {};
  for (const [name, shape] of Object.entries(graph.parameters)) tensors[name] = parameter(numbers[name], shape);
  for (const [name, shape] of Object.entries(graph.buffers)) tensors[name] = constant(numbers[name], shape);
  // Results of all operations, the last one the logits.
  const run = (images, training = false, list = graph.operations) => {
    const results = [images];
    for (const [name, inputs, options] of list) {
      const read = inputs.map((input) => (typeof input === "string" ? tensors[input] : input === null ? null : results[input]));
      results.push(special[name] ? special[name](read, options, images.shape[0], training) : known[name](...read, options));
    }
    return results;
  };
  return { tensors, parameters: Object.keys(graph.parameters).map((name) => tensors[name]), run };
}

// A graph of numbers: its values, its local derivatives, and the steps of each way to its derivatives. Nothing is drawn here.
import { number } from "./controls.js";

// Operation -> value and local derivatives; sweep.py has the same.
const RULES = {
  "+": (a, b) => [a + b, [1, 1]], "−": (a, b) => [a - b, [1, -1]], "×": (a, b) => [a * b, [b, a]],
  exp: (a) => [Math.exp(a), [Math.exp(a)]], ln: (a) => [Math.log(a), [1 / a]], tanh: (a) => [Math.tanh(a), [1 - Math.tanh(a) ** 2]],
  "c −": (a, c) => [c - a, [-1]], "c ×": (a, c) => [c * a, [c]], "+ c": (a, c) => [a + c, [1]],
};

export const symbol = (cell) => (cell.constant === null ? cell.op || cell.name : cell.op.replace("c", String(cell.constant)));

function formula(cell, cells) {
  const [a, b] = cell.operands.map((at) => cells[at].name);
  if (b) return `${a} ${cell.op} ${b}`;
  if (cell.constant === null) return `${cell.op}(${a})`;
  return cell.op.startsWith("c") ? `${symbol(cell)} ${a}` : `${a} ${symbol(cell)}`;
}

// Values and local derivatives of all cells, at the inputs that the reader chose.
export function evaluated(cells, inputs) {
  const values = [], slopes = [];
  cells.forEach((cell, at) => {
    if (!cell.op) { values[at] = inputs[cell.name] ?? cell.start; slopes[at] = []; return; }
    const constant = cell.constant === null ? [] : [cell.constant];
    [values[at], slopes[at]] = RULES[cell.op](...cell.operands.map((operand) => values[operand]), ...constant);
  });
  return { values, slopes };
}

const operations = (cells) => cells.map((_, at) => at).filter((at) => cells[at].op);
const named = (cells, at) => cells[at].name;

export const short = (value) => number(value, 3);

// A state of the picture: which values and derivatives are known, which edges [cell, place of the operand] light up, words, counts.
const state = (known, found, extra) => ({ known: new Set(known), found: new Map(found), edges: [], at: null, words: "", products: 0, sums: 0, results: null, ...extra });

function forwardPass(cells, { values }) {
  const known = cells.map((_, at) => at).filter((at) => !cells[at].op), steps = [state(known, [], { words: "The inputs are given. Step on: each node computes its value." })];
  for (const at of operations(cells)) {
    known.push(at);
    steps.push(state(known, [], { at, values: true, edges: cells[at].operands.map((_, k) => [at, k]),
      words: `Forward: ${named(cells, at)} = ${formula(cells[at], cells)} = ${short(values[at])}` }));
  }
  return steps;
}

function reverse(cells, graph) {
  const steps = forwardPass(cells, graph), all = cells.map((_, at) => at), found = new Map([[cells.length - 1, 1]]);
  let products = 0, sums = 0;
  for (const at of operations(cells).reverse()) {
    const mine = found.get(at), parts = cells[at].operands.map((operand, k) => {
      const part = mine * graph.slopes[at][k], before = found.get(operand);
      found.set(operand, (before ?? 0) + part);
      products += 1;
      sums += before === undefined ? 0 : 1;
      return `${named(cells, operand)} gets ${short(mine)} × ${short(graph.slopes[at][k])}${before === undefined ? "" : `, in all ${short(found.get(operand))}`}`;
    });
    steps.push(state(all, found, { at, edges: cells[at].operands.map((_, k) => [at, k]), products, sums,
      words: `Backward: ${named(cells, at)} is complete, ${short(mine)}. ${parts.join("; ")}.` }));
  }
  steps.at(-1).results = `One sweep, and all derivatives are known: ${all.filter((at) => !cells[at].op).map((at) => `${named(cells, at)} ${short(found.get(at))}`).join(", ")}.`;
  return steps;
}

function forward(cells, graph) {
  const steps = [], inputs = cells.map((_, at) => at).filter((at) => !cells[at].op), all = cells.map((_, at) => at), done = [];
  let products = 0, sums = 0;
  inputs.forEach((input, sweep) => {
    const found = new Map([[input, 1]]);
    if (!sweep) steps.push(state(inputs, found, { words: `Sweep 1 of ${inputs.length}: ${named(cells, input)} moves at speed 1, the other inputs stand still.` }));
    const known = sweep ? [...all] : [...inputs];
    for (const at of operations(cells)) {
      const parts = cells[at].operands.map((operand, k) => [found.get(operand), graph.slopes[at][k]]).filter(([moves]) => moves !== undefined);
      if (parts.length) found.set(at, parts.reduce((sum, [moves, slope]) => sum + moves * slope, 0));
      products += parts.length;
      sums += Math.max(0, parts.length - 1);
      if (!sweep) known.push(at);
      const told = parts.length ? `moves at ${parts.map(([moves, slope]) => `${short(moves)} × ${short(slope)}`).join(" + ")} = ${short(found.get(at))}` : "stands still";
      steps.push(state(known, found, { at, edges: cells[at].operands.map((operand, k) => [at, k]).filter(([, k]) => found.has(cells[at].operands[k])), products, sums,
        words: `Sweep ${sweep + 1} of ${inputs.length}, along ${named(cells, input)}: ${named(cells, at)} = ${short(graph.values[at])} ${told}.` }));
    }
    done.push(`${named(cells, input)} ${short(found.get(cells.length - 1) ?? 0)}`);
    steps.at(-1).results = `${sweep + 1} of ${inputs.length} sweeps: known derivatives ${done.join(", ")}.`;
  });
  return steps;
}

// Every path from an input to the output, as a list of edges from the output down.
function routes(cells, at = cells.length - 1) {
  if (!cells[at].op) return [[]];
  return cells[at].operands.flatMap((operand, k) => routes(cells, operand).map((rest) => [[at, k], ...rest]));
}

function paths(cells, graph) {
  const all = cells.map((_, at) => at), list = routes(cells), totals = new Map();
  let products = 0;
  const steps = [state(all, [[cells.length - 1, 1]], { words: `From the inputs to the output lead ${list.length} paths. Each is a product of local derivatives; the derivative is the sum of all.` })];
  list.forEach((edges, count) => {
    const [last, k] = edges.at(-1), input = cells[last].operands[k];
    const part = edges.reduce((product, [at, place]) => product * graph.slopes[at][place], 1);
    totals.set(input, (totals.get(input) ?? 0) + part);
    products += edges.length;
    steps.push(state(all, totals, { edges, products, sums: count + 1 - totals.size,
      words: `Path ${count + 1} of ${list.length}: a product of ${edges.length} local derivatives, ${short(part)}. Sum so far for ${named(cells, input)}: ${short(totals.get(input))}.` }));
  });
  steps.at(-1).results = `All ${list.length} paths: ${[...totals].map(([at, sum]) => `${named(cells, at)} ${short(sum)}`).join(", ")}.`;
  return steps;
}

const WALKS = { "reverse mode": reverse, "forward mode": forward, "path by path": paths };

export const walk = (way, cells, graph) => WALKS[way](cells, graph);

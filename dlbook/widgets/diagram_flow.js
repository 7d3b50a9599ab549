// The lines beside the blocks of one level: where a block takes anything else than the output of the block above it.
import { node } from "./controls.js";

const MOST_LANES = 6;

// Sources that skip a block: [{ from, to: [rows] }]; from -1 is the input of the level.
export function jumps(rows) {
  const found = new Map();
  rows.forEach((row, at) => row.inputs.filter((from) => from !== at - 1).forEach((from) => {
    if (!found.has(from)) found.set(from, []);
    found.get(from).push(at);
  }));
  return [...found].sort(([a], [b]) => a - b).map(([from, to]) => ({ from, to }));
}

// Each source gets a lane that is free between its block and the last block it goes to; null where there are too many.
export function lanes(sources) {
  const ends = [];
  for (const source of sources) {
    const last = source.to.at(-1);
    let lane = ends.findIndex((end) => end <= source.from);
    if (lane === -1) lane = ends.push(0) - 1;
    ends[lane] = last;
    source.lane = lane;
  }
  return ends.length <= MOST_LANES ? ends.length : null;
}

// The lines of one level as elements of its grid: row r stands in grid row r + 2, below the line that says what comes in.
export function wires(rows) {
  const sources = jumps(rows), count = lanes(sources);
  if (!count) return { lanes: 0, elements: [], dropped: count === null };
  const part = (kind, lane, place, turn) => {
    const made = node("div", { class: `dlw-wire dlw-wire-${kind}`, "aria-hidden": "true" });
    made.style.cssText = `grid-row:${place};--dlw-lane:${count - 1 - lane};${turn}`;
    return made;
  };
  const elements = sources.flatMap(({ from, to, lane }) => [
    part("down", lane, `${from + 3} / ${to.at(-1) + 2}`, ""),
    ...to.map((at) => part("in", lane, `${at + 2} / ${at + 3}`, ""))]);
  return { lanes: count, elements, dropped: false };
}

// What a block takes, in words, where it is not simply the output of the block above it.
export function sourceText(rows, at) {
  const { inputs } = rows[at];
  if (!inputs.length || (inputs.length === 1 && inputs[0] === at - 1)) return "";
  const name = (row) => (row === -1 ? "the input" : rows[row].name || `the ${rows[row].type} above`);
  if (inputs.length > 4) return `from ${inputs.length}: ${name(inputs[0])} … ${name(inputs.at(-1))}`;
  return `from ${inputs.map(name).join(", ")}`;
}

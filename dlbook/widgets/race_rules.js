// The update rules of six optimizers on a surface of two weights, as torch has them. race_rules.py has the same.

export const METHODS = ["SGD", "momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"];
export const FELT = ["momentum", "Nesterov", "Adam"];  // those that the momentum moves
const SQUARES = 0.9, BETA2 = 0.999, FAR = 1e6;

// A surface is a sum of terms [factor, power of x, power of y].
export const lossOf = (terms, x, y) => terms.reduce((sum, [c, i, j]) => sum + c * x ** i * y ** j, 0);

export const slopeOf = (terms, x, y) => {
  let across = 0, up = 0;
  for (const [c, i, j] of terms) {
    if (i) across += c * i * x ** (i - 1) * y ** j;
    if (j) up += c * j * x ** i * y ** (j - 1);
  }
  return [across, up];
};

// How far one weight moves in update `t`, counted from 1; `a` and `b` are what the method has kept of it.
const RULES = {
  SGD: (g) => g,
  momentum: (g, kept, mu) => (kept.a = mu * kept.a + g),
  Nesterov: (g, kept, mu) => { kept.a = mu * kept.a + g; return g + mu * kept.a; },
  AdaGrad: (g, kept) => { kept.b += g * g; return g / (Math.sqrt(kept.b) + 1e-10); },
  RMSprop: (g, kept) => { kept.b = SQUARES * kept.b + (1 - SQUARES) * g * g; return g / (Math.sqrt(kept.b) + 1e-8); },
  Adam: (g, kept, mu, t) => {
    kept.a = mu * kept.a + (1 - mu) * g;
    kept.b = BETA2 * kept.b + (1 - BETA2) * g * g;
    return kept.a / (1 - mu ** t) / (Math.sqrt(kept.b / (1 - BETA2 ** t)) + 1e-8);
  },
};

// Where the ball is before the first update and after each, and its losses; after one that is lost there is nothing more.
export function course(terms, method, rate, mu, start, updates) {
  let [x, y] = start;
  const kept = [{ a: 0, b: 0 }, { a: 0, b: 0 }], rule = RULES[method], places = [[x, y]], losses = [lossOf(terms, x, y)];
  for (let t = 1; t <= updates; t++) {
    const [across, up] = slopeOf(terms, x, y);
    x -= rate * rule(across, kept[0], mu, t);
    y -= rate * rule(up, kept[1], mu, t);
    if (!(Math.abs(x) < FAR && Math.abs(y) < FAR)) return { places, losses, lost: true };
    places.push([x, y]);
    losses.push(lossOf(terms, x, y));
  }
  return { places, losses, lost: false };
}

// The loss after the last update at each rate (infinity where the ball is lost), and the best of the rates.
export function sweep(terms, method, rates, mu, start, updates) {
  const ends = rates.map((rate) => { const { losses, lost } = course(terms, method, rate, mu, start, updates); return lost ? Infinity : losses.at(-1); });
  return { ends, best: rates[ends.indexOf(Math.min(...ends))] };
}

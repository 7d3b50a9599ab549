// Optimizers as torch defines them. Each keeps what it needs in `state`, and step() moves the parameters once.

export function optimiser(parameters, { kind = "sgd", rate = 0.1, momentum = 0, decay = 0, betas = [0.9, 0.999], eps = 1e-8 } = {}) {
  const state = parameters.map((p) => [new Float64Array(p.data.length), new Float64Array(p.data.length)]);
  let steps = 0;
  const sgd = (p, g, [velocity], rate) => {
    for (let i = 0; i < g.length; i++) {
      const slope = g[i] + decay * p[i];
      velocity[i] = steps > 1 ? momentum * velocity[i] + slope : slope;
      p[i] -= rate * velocity[i];
    }
  };
  const adam = (p, g, [first, second], rate) => {
    const one = 1 - betas[0] ** steps, two = Math.sqrt(1 - betas[1] ** steps), apart = kind === "adamw";
    for (let i = 0; i < g.length; i++) {
      const slope = apart ? g[i] : g[i] + decay * p[i];
      if (apart) p[i] *= 1 - rate * decay; // AdamW: the decay does not pass through the averages
      first[i] = betas[0] * first[i] + (1 - betas[0]) * slope;
      second[i] = betas[1] * second[i] + (1 - betas[1]) * slope * slope;
      p[i] -= ((rate / one) * first[i]) / (Math.sqrt(second[i]) / two + eps);
    }
  };
  return {
    // `factor` is what a schedule makes of the rate at this step.
    step(factor = 1) {
      steps += 1;
      parameters.forEach((p, i) => p.grad && (kind === "sgd" ? sgd : adam)(p.data, p.grad, state[i], rate * factor));
    },
    clear() { parameters.forEach((p) => { p.grad = null; }); },
  };
}

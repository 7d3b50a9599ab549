// Random numbers from a seed: sfc32 (Doty-Humphrey, PractRand), which random_numbers.py repeats in Python.

export function generator(seed) {
  let a = 0, b = seed | 0, c = 0, counter = 1;
  // a whole number in [0, 2^32)
  const next = () => {
    const made = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + made) | 0;
    return made >>> 0;
  };
  for (let i = 0; i < 15; i++) next(); // the first numbers after a small seed resemble each other
  const uniform = () => next() / 4294967296;
  // Box and Muller: two uniform numbers make one normal one; 1 - u is never 0
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  // The numbers 0 ... n - 1 in random order (Fisher and Yates).
  const order = (n) => {
    const places = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [places[i], places[j]] = [places[j], places[i]];
    }
    return places;
  };
  return { next, uniform, normal, order };
}

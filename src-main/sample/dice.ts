/**
 * Seeded chance: the same words always give the same throws, on every machine. The bundled network learned from the drawings
 * that these throws make, so that they are not exchanged for data/random.ts.
 */
export interface Dice {
  /** Uniform in [low, high). */
  range(low: number, high: number): number;
  /** Normal with the given standard deviation, mean 0. */
  normal(deviation: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** Uniform integer in [0, 2³²). */
  word(): number;
}

/** Dice that depend on nothing but `words`, e.g. `dice('picture', seed, species, index)`. */
export function dice(...words: (string | number)[]): Dice {
  const seeds = [0x9e3779b9, 0x243f6a88, 0xb7e15162].map((salt) => hash(words.join('\u0000'), salt));
  let [a, b, c] = seeds;
  let counter = 1;
  // sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, integer arithmetic only.
  const word = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  const uniform = () => word() / 2 ** 32;
  return {
    word,
    range: (low, high) => low + (high - low) * uniform(),
    // A sum of four uniforms is normal enough here and needs no logarithm.
    normal: (deviation) => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3) * deviation,
    pick: (items) => items[Math.floor(uniform() * items.length)],
    chance: (probability) => uniform() < probability,
  };
}

/** FNV-1a over UTF-16 code units, started from `salt`. */
function hash(text: string, salt: number): number {
  let value = salt ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return value ^ (value >>> 13);
}

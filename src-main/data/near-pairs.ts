/** Bits of 64 in which the hashes of near-duplicates may differ. */
const maxDistance = 6;
/** Hashes compared with one hash at most: bounds the time on folders of images that are all alike. */
const maxCompared = 5000;
/** Candidates kept for one image, the closest. */
const maxCandidates = 8;
/** Near hashes kept for one hash: bounds the memory on such folders. */
const maxNear = 24;

const words = 4;
const wordBits = 16;
/** Two hashes at most 6 bits apart have one of their four words at most 1 bit apart: ⌊6 / 4⌋. */
const probes = [0, ...Array.from({ length: wordBits }, (_, bit) => 1 << bit)];

/**
 * For every image by its hash, the earlier images with hashes at most 6 bits away, the closest first (at most 8).
 * Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): each different hash is filed under four 16-bit words
 * and looked up under each word with every single bit flipped, so that 100,000 hashes take about a second.
 */
export function nearCandidates(hashes: readonly string[]): number[][] {
  /** The first images of each different hash. */
  const holders = new Map<string, number[]>();
  for (const [index, hash] of hashes.entries()) {
    const first = holders.get(hash);
    if (!first) holders.set(hash, [index]);
    else if (first.length < maxCandidates) first.push(index);
  }
  const different = [...holders.keys()];
  const near = nearHashes(different);
  const numbers = new Map(different.map((hash, number) => [hash, number]));
  return hashes.map((hash, index) => {
    const sorted = [{ other: numbers.get(hash)!, distance: 0 }, ...near[numbers.get(hash)!]];
    const earlier = sorted.flatMap(({ other, distance }) =>
      holders.get(different[other])!.flatMap((at) => (at < index ? [{ at, distance }] : [])),
    );
    earlier.sort((a, b) => a.distance - b.distance || a.at - b.at);
    return earlier.slice(0, maxCandidates).map(({ at }) => at);
  });
}

/** For every hash the others at most 6 bits away; all hashes differ. */
function nearHashes(hashes: readonly string[]): { other: number; distance: number }[][] {
  const high = Uint32Array.from(hashes, (hash) => Number.parseInt(hash.slice(0, 8), 16));
  const low = Uint32Array.from(hashes, (hash) => Number.parseInt(hash.slice(8), 16));
  const tables = Array.from({ length: words }, (_, word) => fileByWord(high, low, word));
  const near: { other: number; distance: number }[][] = hashes.map(() => []);
  const seen = new Int32Array(hashes.length).fill(-1);
  for (let index = 0; index < hashes.length; index++) {
    let compared = 0;
    for (const { keys, starts, members } of tables) {
      for (const probe of probes) {
        const key = keys[index] ^ probe;
        for (let at = starts[key]; at < starts[key + 1] && compared < maxCompared; at++) {
          const other = members[at];
          if (other >= index) break;
          if (seen[other] === index) continue;
          seen[other] = index;
          compared++;
          const distance = ones(high[index] ^ high[other]) + ones(low[index] ^ low[other]);
          if (distance > maxDistance) continue;
          if (near[index].length < maxNear) near[index].push({ other, distance });
          if (near[other].length < maxNear) near[other].push({ other: index, distance });
        }
      }
    }
  }
  return near;
}

interface WordTable {
  /** The word of each hash. */
  keys: Uint16Array;
  /** Members with key k are members[starts[k]] … members[starts[k + 1] − 1], in ascending order. */
  starts: Uint32Array;
  members: Uint32Array;
}

function fileByWord(high: Uint32Array, low: Uint32Array, word: number): WordTable {
  const keys = new Uint16Array(high.length);
  for (let index = 0; index < keys.length; index++) {
    // Every fourth bit: a word is spread over the image, so that plain borders do not make words alike.
    let key = 0;
    for (let bit = word; bit < 32; bit += words) {
      key = (key << 2) | (((high[index] >>> bit) & 1) << 1) | ((low[index] >>> bit) & 1);
    }
    keys[index] = key;
  }
  const starts = new Uint32Array(2 ** wordBits + 1);
  for (const key of keys) starts[key + 1]++;
  for (let key = 0; key < 2 ** wordBits; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const members = new Uint32Array(keys.length);
  for (let index = 0; index < keys.length; index++) members[next[keys[index]]++] = index;
  return { keys, starts, members };
}

/** Bits in which two hashes differ, of 64. */
export const hashDistance = (a: string, b: string): number =>
  ones(Number.parseInt(a.slice(0, 8), 16) ^ Number.parseInt(b.slice(0, 8), 16)) +
  ones(Number.parseInt(a.slice(8), 16) ^ Number.parseInt(b.slice(8), 16));

function ones(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

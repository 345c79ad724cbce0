/** The share of what two texts have between them that both have, from which on one is the other but for a word or so. */
const leastAlike = 0.8;
/** What comes behind is read by no network: words compared of a text. */
const mostWords = 512;
/** Texts compared with one text at most: bounds the time where many hold the same. */
const mostCompared = 2000;

/** A text's words without case, accents and punctuation. */
const plainWords = (text: string): string[] =>
  text
    .normalize('NFD')
    .replaceAll(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .slice(0, mostWords);

/** Of every text the earlier ones that are nearly the same, by their numbers with how alike they are, the most alike first. */
export interface NearText {
  other: number;
  /** Jaccard's index, 0 to 1, of their words and pairs of neighboring words. */
  alike: number;
}

/**
 * All pairs of texts whose words, and pairs of neighboring words, agree to 80 % by Jaccard's index; texts without a letter or a
 * number have none. Prefix filtering (Bayardo, Ma, Srikant, «Scaling Up All Pairs Similarity Search», WWW 2007): two sets that
 * are so alike share one of the rarest members of either, so that a text meets few others.
 */
export function nearTexts(texts: readonly string[]): NearText[][] {
  const members = rareFirst(texts.map(membersOf));
  /** The texts so far that have a member among their rarest. */
  const holders = new Map<number, number[]>();
  return members.map((own, index) => {
    const met = new Set<number>();
    const found: NearText[] = [];
    // All but so many members are in the other's set too, so that one of these is.
    const rarest = own.subarray(0, own.length - Math.ceil(leastAlike * own.length) + 1);
    for (const member of rarest) {
      const others = holders.get(member) ?? [];
      for (const other of others) {
        if (met.size >= mostCompared) break;
        if (met.has(other)) continue;
        met.add(other);
        const alike = agreement(own, members[other]);
        if (alike >= leastAlike) found.push({ other, alike });
      }
      if (others.length === 0) holders.set(member, others);
      others.push(index);
    }
    return found.sort((a, b) => b.alike - a.alike || a.other - b.other);
  });
}

/** Words and pairs of neighbors, each once. */
function membersOf(text: string): string[] {
  const words = plainWords(text);
  return [...new Set([...words, ...words.slice(1).map((word, at) => `${words[at]} ${word}`)])];
}

/** Sets as ascending numbers, of which the lowest belongs to the rarest member. */
function rareFirst(sets: readonly string[][]): Int32Array[] {
  const counts = new Map<string, number>();
  for (const set of sets) for (const member of set) counts.set(member, (counts.get(member) ?? 0) + 1);
  const ranks = new Map([...counts].sort(([, a], [, b]) => a - b).map(([member], rank) => [member, rank]));
  return sets.map((set) => Int32Array.from(set, (member) => ranks.get(member)!).sort());
}

/** Jaccard's index of two ascending sets. */
function agreement(a: Int32Array, b: Int32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const order = a[i] - b[j];
    if (order === 0) shared++;
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return shared / (a.length + b.length - shared);
}

import { textOrder } from '../../src-shared/text-order.ts';
import { specialPieces } from './tokenizer.ts';

/** Characters that a vocabulary begins with at most, the most frequent ones. */
const mostCharacters = 1000;

/**
 * A vocabulary of `size` word pieces for words with their counts: special pieces, characters (`a`, and `##a` inside a word), then what
 * two pieces beside each other make, the most frequent pair first; equally frequent ones in the order of their names. Sennrich, Haddow
 * and Birch, «Neural Machine Translation of Rare Words with Subword Units», ACL 2016, algorithm 1, as the WordPiece trainer of
 * Hugging Face's tokenizers. Fewer where no two pieces are left.
 */
export function learnPieces(counts: ReadonlyMap<string, number>, size: number): string[] {
  const characters = new Map<string, number>();
  const words = [...counts].map(([word, count]) => {
    const symbols = [...word].map((character, at) => (at === 0 ? character : `##${character}`));
    for (const symbol of symbols) characters.set(symbol, (characters.get(symbol) ?? 0) + count);
    return { symbols, count };
  });
  const alphabet = [...characters]
    .sort(([a, m], [b, n]) => n - m || textOrder(a, b))
    .map(([symbol]) => symbol);
  const vocabulary = new Set<string>([
    ...specialPieces,
    ...alphabet.slice(0, mostCharacters).toSorted(textOrder),
  ]);
  const known = words.filter(({ symbols }) => symbols.every((symbol) => vocabulary.has(symbol)));
  const pairs = new Pairs(known);
  for (let best = pairs.best(); best && vocabulary.size < size; best = pairs.best())
    vocabulary.add(pairs.merge(best));
  return [...vocabulary].slice(0, size);
}

interface CountedWord {
  symbols: string[];
  count: number;
}

/** Counts of pieces beside each other, kept up while they are joined. */
class Pairs {
  readonly #words: CountedWord[];
  readonly #counts = new Map<string, number>();
  /** Numbers of the words in which a pair was met. */
  readonly #places = new Map<string, Set<number>>();
  /** A heap of pairs with a count that they had; those that have another by now are passed over. */
  readonly #heap: { pair: string; count: number }[] = [];

  constructor(words: CountedWord[]) {
    this.#words = words;
    for (const [index] of words.entries()) this.#count(index, 1);
    for (const [pair, count] of this.#counts) this.#push(pair, count);
  }

  /** The most frequent pair; undefined where none is left. */
  best(): string | undefined {
    for (let top = this.#pop(); top; top = this.#pop())
      if (this.#counts.get(top.pair) === top.count) return top.pair;
    return undefined;
  }

  /** Joins a pair wherever it is, and returns what it makes. */
  merge(pair: string): string {
    const [left, right] = pair.split(' ');
    const joined = left + right.slice(2);
    const changed = new Set<string>();
    for (const index of this.#places.get(pair)!) {
      const word = this.#words[index];
      for (const touched of this.#count(index, -1)) changed.add(touched);
      const symbols: string[] = [];
      for (const symbol of word.symbols)
        if (symbol === right && symbols.at(-1) === left) symbols[symbols.length - 1] = joined;
        else symbols.push(symbol);
      word.symbols = symbols;
      for (const touched of this.#count(index, 1)) changed.add(touched);
    }
    this.#places.delete(pair);
    for (const touched of changed) {
      const count = this.#counts.get(touched)!;
      if (count > 0) this.#push(touched, count);
      else this.#counts.delete(touched);
    }
    return joined;
  }

  /** Adds a word's pairs to the counts, or takes them away, and says which they are. */
  #count(index: number, sign: 1 | -1): string[] {
    const { symbols, count } = this.#words[index];
    const pairs = symbols.slice(1).map((symbol, at) => `${symbols[at]} ${symbol}`);
    for (const pair of pairs) {
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + sign * count);
      const places = this.#places.get(pair);
      if (places) places.add(index);
      else this.#places.set(pair, new Set([index]));
    }
    return pairs;
  }

  #push(pair: string, count: number): void {
    const heap = this.#heap;
    let at = heap.push({ pair, count }) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && before(heap[at], heap[parent]); parent = (at - 1) >> 1) {
      [heap[at], heap[parent]] = [heap[parent], heap[at]];
      at = parent;
    }
  }

  #pop(): { pair: string; count: number } | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    heap[0] = last;
    for (let at = 0; ; ) {
      const first = [2 * at + 1, 2 * at + 2]
        .filter((child) => child < heap.length)
        .reduce((a, b) => (before(heap[b], heap[a]) ? b : a), at);
      if (first === at) return top;
      [heap[at], heap[first]] = [heap[first], heap[at]];
      at = first;
    }
  }
}

const before = (a: { pair: string; count: number }, b: { pair: string; count: number }): boolean =>
  a.count > b.count || (a.count === b.count && a.pair < b.pair);

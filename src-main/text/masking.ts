import type { Random } from '../data/random.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Share of the pieces that are to be found again. */
const wanted = 0.15;
/** Of these: shares that are hidden, and that are replaced by any other piece; the rest stay. */
const [hidden, replaced] = [0.8, 0.1];

/** Most pieces that are to be found again among so many. */
export const mostMasked = (pieces: number): number => Math.ceil(wanted * pieces);

/**
 * Chooses 15 % of a batch's pieces, without special ones, and hides most of them in `pieces`, which is written over: where they
 * are, in order, and which pieces stood there. Devlin et al., «BERT», NAACL 2019, section 3.1, task 1.
 */
export function maskPieces(
  pieces: Int32Array,
  { special, settings: { vocabulary } }: Tokenizer,
  random: Random,
): { places: number[]; labels: number[] } {
  const apart = new Set(Object.values(special));
  const unknown = special['[UNK]'];
  const open = [...pieces.keys()].filter((at) => !apart.has(pieces[at]) || pieces[at] === unknown);
  const count = Math.min(open.length, Math.max(1, Math.round(wanted * open.length)));
  // The first of a permutation, drawn as far as it is needed.
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random() * (open.length - at));
    [open[at], open[other]] = [open[other], open[at]];
  }
  const places = open.slice(0, count).sort((a, b) => a - b);
  const labels = places.map((at) => pieces[at]);
  for (const at of places) {
    const chance = random();
    if (chance < hidden) pieces[at] = special['[MASK]'];
    else if (chance < hidden + replaced) pieces[at] = Math.floor(random() * vocabulary.length);
  }
  return { places, labels };
}

import { entityType } from '../../src-shared/entities.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import type { TagDoubt } from '../../src-shared/tagged-evaluation.ts';
import { likelyWrong } from './confident-learning.ts';

/** A sentence by its words' places in a list of words, with the tags that were predicted. */
export interface JudgedSentence {
  words: { from: number; to: number };
  tags: readonly string[];
  errors: number;
}

/**
 * Of each sentence the word whose entity is the likeliest to be of another type, or none, by confident learning over words, each labeled with
 * that type; null where no word is, or where the predicted tags make the same entities. `probabilities` are [words, tags], of tags in
 * the order of `names`, `labels` the given ones. A sentence is as doubtful as its most doubtful word (Wang and Mueller, «Detecting Label
 * Errors in Token Classification Data», 2022).
 */
export function tagDoubts(
  sentences: readonly JudgedSentence[],
  { data, rows, columns }: Matrix,
  labels: readonly number[],
  names: readonly string[],
): (TagDoubt | null)[] {
  const types = [...new Set(names.map(entityType))];
  const typeAt = names.map((name) => types.indexOf(entityType(name)));
  const ofTypes = new Float64Array(rows * types.length);
  for (let word = 0; word < rows; word++)
    for (let tag = 0; tag < columns; tag++)
      ofTypes[word * types.length + typeAt[tag]] += data[word * columns + tag];
  const suspects = likelyWrong(
    { data: ofTypes, rows, columns: types.length },
    labels.map((tag) => typeAt[tag]),
    rows,
  ).sort((a, b) => a.image - b.image);
  let next = 0;
  return sentences.map(({ words, tags, errors }) => {
    let worst: TagDoubt | null = null;
    for (; suspects[next]?.image < words.to; next++) {
      const { image, suggested, givenP, suggestedP, score } = suspects[next];
      const word = image - words.from;
      // Halves of a type's probability may each be less than that of another tag, which is then the predicted one.
      const isPredicted = entityType(tags[word]) === types[suggested];
      if (errors > 0 && isPredicted && !(worst && worst.score >= score))
        worst = { word, givenP, suggestedP, score };
    }
    return worst;
  });
}

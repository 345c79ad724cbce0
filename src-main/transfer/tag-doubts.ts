import type { Matrix } from '../../src-shared/matrix.ts';
import type { TagDoubt } from '../../src-shared/tagged-evaluation.ts';
import { likelyWrong } from './confident-learning.ts';

/**
 * Of each sentence the word whose tag is the likeliest to be wrong, by confident learning over words; null where no tag is, or where the
 * predicted tags make the same entities. A sentence is as doubtful as its most doubtful word (Wang and Mueller, «Detecting Label Errors in
 * Token Classification Data», 2022).
 */
export function tagDoubts(
  sentences: readonly { words: { from: number; to: number }; errors: number }[],
  probabilities: Matrix,
  labels: readonly number[],
): (TagDoubt | null)[] {
  const suspects = likelyWrong(probabilities, labels, labels.length).sort((a, b) => a.image - b.image);
  let next = 0;
  return sentences.map(({ words, errors }) => {
    let worst: TagDoubt | null = null;
    for (; suspects[next]?.image < words.to; next++) {
      const { image, givenP, suggestedP, score } = suspects[next];
      if (errors > 0 && !(worst && worst.score >= score))
        worst = { word: image - words.from, givenP, suggestedP, score };
    }
    return worst;
  });
}

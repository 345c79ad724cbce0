/** What predicted tags are worth. */
import type { Evaluation } from './contract.ts';
import type { Split, SplitMetrics } from './domain.ts';
import { countEntities, type EntityCounts, entitiesOf, scoreEntities } from './entities.ts';
import { f1Interval } from './paired-entities.ts';
import { wilsonInterval } from './statistics.ts';

export interface TaggedSentence {
  gold: readonly string[];
  predicted: readonly string[];
}

/** The word of a sentence whose tag is the likeliest to be wrong, with the probabilities of its entity's type (or of none) and of the predicted one. */
export interface TagDoubt {
  word: number;
  givenP: number;
  suggestedP: number;
  score: number;
}

/** The entities of one sentence. */
export const entityCounts = ({ gold, predicted }: TaggedSentence): EntityCounts =>
  countEntities(entitiesOf(gold), entitiesOf(predicted));

/** Everything that a run detail shows about one split of at least one tagged text; `recorded` is what the run said of it. */
export function evaluateTagged(
  sentences: readonly TaggedSentence[],
  types: readonly string[],
  split: Split,
  { nll, ece }: Pick<SplitMetrics, 'nll' | 'ece'>,
): Evaluation {
  const scores = scoreEntities(
    sentences.map(({ gold }) => gold),
    sentences.map(({ predicted }) => predicted),
  );
  const { gold, predicted, correct, precision, recall, f1 } = scores.micro;
  const perType = Object.values(scores.perType);
  return {
    split,
    accuracy: scores.tokenAccuracy,
    accuracyInterval: wilsonInterval(scores.tokensCorrect, scores.tokens),
    macroF1: perType.reduce((sum, score) => sum + score.f1, 0) / Math.max(1, perType.length),
    nll,
    ece,
    brier: null,
    entities: {
      ...{ gold, predicted, correct, precision, recall, f1 },
      f1Interval: f1Interval(sentences.map(entityCounts)),
    },
    classes: types.map((name) => {
      const score = scores.perType[name] ?? {
        gold: 0,
        predicted: 0,
        correct: 0,
        precision: 0,
        recall: 0,
        f1: 0,
      };
      return {
        name,
        support: score.gold,
        predicted: score.predicted,
        precision: score.predicted === 0 ? null : score.precision,
        recall: score.gold === 0 ? null : score.recall,
        f1: score.gold + score.predicted === 0 ? null : score.f1,
        recallInterval: score.gold === 0 ? null : wilsonInterval(score.correct, score.gold),
      };
    }),
    confusion: [],
    reliability: [],
  };
}

import { predictedClass } from '../../../src-shared/prediction-columns.ts';
import { hasSource, type RankingScore } from './score.ts';

/** NCE: −H(Y | Z), Z the source class that is predicted. */
export const nce: RankingScore = {
  name: 'nce',
  title: 'NCE',
  help: 'negative entropy of the label given the predicted source class; nats',
  speaks: hasSource,
  source:
    'Tran, Nguyen, Hassner, «Transferability and Hardness of Supervised Classification Tasks», ICCV 2019',
  score({ probabilities: { data, rows, columns }, labels, targets }) {
    const counts = new Map<number, Float64Array>();
    for (let i = 0; i < rows; i++) {
      const z = predictedClass(data, i, columns);
      const row = counts.get(z) ?? new Float64Array(targets);
      row[labels[i]]++;
      counts.set(z, row);
    }
    let sum = 0;
    for (const row of counts.values()) {
      const total = row.reduce((a, b) => a + b, 0);
      for (const count of row) if (count > 0) sum += (count / rows) * Math.log(count / total);
    }
    return sum;
  },
};

import { hasSource, type RankingScore } from './score.ts';

/** LEEP: mean_i log Σ_z p(y_i | z) θ(x_i)_z, where p(y, z) = mean over the images of label y of θ(x)_z. */
export const leep: RankingScore = {
  name: 'leep',
  title: 'LEEP',
  help: 'log-likelihood of the labels through the source predictions; mean over images, nats',
  speaks: hasSource,
  source: 'Nguyen, Hassner, Seeger, Archambeau, «LEEP», ICML 2020, equation 2',
  score({ probabilities: { data, rows, columns }, labels, targets }) {
    const joint = new Float64Array(targets * columns);
    const marginal = new Float64Array(columns);
    for (let i = 0; i < rows; i++)
      for (let z = 0; z < columns; z++) {
        joint[labels[i] * columns + z] += data[i * columns + z];
        marginal[z] += data[i * columns + z];
      }
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      let likelihood = 0;
      for (let z = 0; z < columns; z++)
        if (marginal[z] > 0)
          likelihood += (data[i * columns + z] * joint[labels[i] * columns + z]) / marginal[z];
      sum += Math.log(likelihood);
    }
    return sum / rows;
  },
};

/** What several scores say of networks together: which each puts first, how surely, and whether they agree. */
import type { Ranking } from '../../src-shared/contract.ts';

export interface Opinion {
  /** Title of the score. */
  score: string;
  /** The model that it puts first. */
  first: string;
  /** Whether the interval of the first lies above that of every other. */
  sure: boolean;
}

type Scores = Pick<Ranking, 'scores' | 'models'>;

/** One opinion of each score that has a value for two models at least. */
export function opinionsOf({ scores, models }: Scores): Opinion[] {
  return scores.flatMap(({ name, title }) => {
    const [first, ...others] = models
      .flatMap(({ model, values }) => {
        const value = values[name];
        return value ? [{ model, ...value }] : [];
      })
      .sort((a, b) => b.value - a.value);
    if (!first || others.length === 0) return [];
    return [{ score: title, first: first.model, sure: others.every(({ high }) => high < first.low) }];
  });
}

/** The models, the best first by their mean place over the scores; those without any value come last. */
export function inOrder({ scores, models }: Scores): Ranking['models'] {
  const places = new Map(models.map(({ model }) => [model, [] as number[]]));
  for (const { name } of scores) {
    const valued = models.filter(({ values }) => values[name]);
    for (const { model, values } of valued)
      places
        .get(model)!
        .push(
          valued.filter((other) => other.values[name]!.value > values[name]!.value).length / valued.length,
        );
  }
  const mean = (model: string) => {
    const own = places.get(model)!;
    return own.length > 0
      ? own.reduce((sum, place) => sum + place, 0) / own.length
      : Number.POSITIVE_INFINITY;
  };
  return models.toSorted((a, b) => mean(a.model) - mean(b.model));
}

/** Whether the opinions agree, in words. */
export function agreement(opinions: readonly Opinion[]): string {
  if (opinions.length === 0) return 'One network alone is not ranked: its scores stand for themselves.';
  const byModel = Map.groupBy(opinions, ({ first }) => first);
  const [[winner, votes], ...others] = [...byModel].sort(([, a], [, b]) => b.length - a.length);
  const sure = votes.filter((opinion) => opinion.sure).length;
  const chance =
    sure === 0
      ? 'None of them is sure of it: the intervals overlap.'
      : sure === votes.length
        ? 'Its intervals lie above those of every other network.'
        : `${sure} of these ${votes.length} are sure of it; in the others the intervals overlap.`;
  if (others.length === 0) return `All ${opinions.length} scores put ${winner} first. ${chance}`;
  if (votes.length * 2 <= opinions.length)
    return `The scores do not agree: ${[...byModel].map(([model, own]) => `${listed(own)} for ${model}`).join('; ')}. Train more than one.`;
  const rest = others.map(
    ([model, own]) => `${listed(own)} ${own.length > 1 ? 'put' : 'puts'} ${model} first`,
  );
  return `${votes.length} of ${opinions.length} scores put ${winner} first; ${rest.join('; ')}. ${chance}`;
}

const listed = (opinions: readonly Opinion[]): string => opinions.map(({ score }) => score).join(', ');

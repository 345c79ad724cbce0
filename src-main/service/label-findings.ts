import type { Dataset, Sample } from '../../src-shared/domain.ts';
import type { NewFinding } from '../store/findings.ts';
import type { Store } from '../store/store.ts';
import type { CheckResult } from '../trainer/protocol.ts';

/** A label that is likely wrong, of an image by its id. */
export interface SuspectLabel extends Omit<CheckResult['wrongLabels'][number], 'suggested'> {
  given: string;
  suggested: string;
}

/** What a check says of labels, with classes by their names; `labels` are those that it was given, by image. */
export const suspectLabels = (
  { wrongLabels }: CheckResult,
  labels: ReadonlyMap<number, number>,
  classes: readonly string[],
): SuspectLabel[] =>
  wrongLabels.map(({ suggested, ...suspect }) => ({
    ...suspect,
    given: classes[labels.get(suspect.sample)!],
    suggested: classes[suggested],
  }));

/**
 * The findings of those that are still of the class that was doubted. `by`: who doubts it; `unasked`: the network by which a run found it
 * for nobody.
 */
export function labelFindings(
  store: Store,
  { id, classes }: Pick<Dataset, 'id' | 'classes'>,
  suspects: readonly SuspectLabel[],
  by: string,
  unasked?: string,
): NewFinding[] {
  const samples = samplesById(store, id);
  return suspects.flatMap(({ sample, score, ...label }): NewFinding[] => {
    const image = samples.get(sample);
    if (!image || classes[image.label] !== label.given || !classes.includes(label.suggested)) return [];
    return [
      {
        kind: 'wrong-label',
        path: image.path,
        score,
        detail: `given ${label.given} (p ${probability(label.givenP)}), likely ${label.suggested} (p ${probability(label.suggestedP)}), by ${by}, which has not seen the image`,
        label: { ...label, ...(unasked !== undefined && { unasked }) },
      },
    ];
  });
}

/** The findings of images that a network sees nearly the same in, but for those that are known as duplicates. */
export function similarFindings(
  store: Store,
  dataset: number,
  pairs: CheckResult['alike'],
  model: string,
): NewFinding[] {
  const samples = samplesById(store, dataset);
  const known = new Set(store.findings.duplicates(dataset).map(({ path, other }) => pairOf(path, other!)));
  return pairs.flatMap(({ sample, other, cosine }): NewFinding[] => {
    const [a, b] = [samples.get(sample), samples.get(other)];
    if (!a || !b || known.has(pairOf(a.path, b.path))) return [];
    // The image to look at is the one outside the training split.
    const [image, original] = a.split === 'train' && b.split !== 'train' ? [b, a] : [a, b];
    return [
      {
        kind: 'similar',
        path: image.path,
        other: original.path,
        score: cosine,
        detail: `${model} sees nearly the same as in ${original.path}: cosine ${cosine.toFixed(3)}`,
      },
    ];
  });
}

/** Who doubts labels by a network's features, in words. */
export const probesOf = (model: string): string => `a linear probe of ${model}`;

/** Images that are there, and not left out. */
const samplesById = (store: Store, dataset: number): Map<number, Sample> =>
  new Map(store.samples.all(dataset).map((sample) => [sample.id, sample]));

const pairOf = (a: string, b: string): string => (a < b ? `${a}\0${b}` : `${b}\0${a}`);

const probability = (p: number): string => (p >= 0.001 ? p.toFixed(3) : p.toExponential(0));

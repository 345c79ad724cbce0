import type { Dataset, Sample } from '../../src-shared/domain.ts';
import { entitiesOf, entityType } from '../../src-shared/entities.ts';
import { splitTagLine, tagLine } from '../../src-shared/tag-line.ts';
import { suggestedTags } from '../data/suggested-tags.ts';
import type { NewFinding } from '../store/findings.ts';
import type { Store } from '../store/store.ts';
import type { CheckResult } from '../trainer/protocol.ts';

/** A label that is likely wrong, of a sample by its id: a class, or the tags of a sentence in one line. */
export interface SuspectLabel extends Omit<CheckResult['wrongLabels'][number], 'suggested'> {
  given: string;
  suggested: string;
  /** The word of a sentence whose tag is doubted the most. */
  word?: number;
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

/** Sentences whose tags are likely wrong, as predictions hold them. */
export const suspectTags = (doubted: ReturnType<Store['predictions']['doubted']>): SuspectLabel[] =>
  doubted.map(({ id, gold, predicted, doubt }) => ({
    ...doubt,
    sample: id,
    given: tagLine(gold),
    suggested: tagLine(suggestedTags(gold, predicted, doubt.word)),
    ...{ nearestGiven: null, nearestSuggested: null },
  }));

/**
 * The findings of those that still have the label that was doubted. `by`: who doubts it; `unasked`: the network by which a run found it
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
  return suspects.flatMap(({ sample, score, word, ...label }): NewFinding[] => {
    const found = samples.get(sample);
    if (!found || !isStill(found, label, classes)) return [];
    const { tags, words } = found.text ?? {};
    const at = (line: string) =>
      tags && word !== undefined ? (entityType(splitTagLine(line)[word]) ?? 'O') : line;
    const of = words && word !== undefined ? `“${words[word]}” ` : '';
    return [
      {
        kind: 'wrong-label',
        path: found.path,
        score,
        detail: `${of}given ${at(label.given)} (p ${probability(label.givenP)}), likely ${at(label.suggested)} (p ${probability(label.suggestedP)}), by ${by}, which has not seen it`,
        label: { ...label, ...(unasked !== undefined && { unasked }) },
      },
    ];
  });
}

/** Whether a sample has the label that was doubted, and may have the suggested one. */
function isStill(
  { label, text }: Sample,
  { given, suggested }: Pick<SuspectLabel, 'given' | 'suggested'>,
  classes: readonly string[],
): boolean {
  if (!text?.tags) return classes[label] === given && classes.includes(suggested);
  const types = entitiesOf(splitTagLine(suggested)).map(({ type }) => type);
  return tagLine(text.tags) === given && types.every((type) => classes.includes(type));
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

import { plainName } from '../data/class-findings.ts';
import { hashDistance } from '../data/near-pairs.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import { openContentCache } from '../formats/content-cache.ts';
import { likelyWrong } from '../transfer/confident-learning.ts';
import { evened } from '../transfer/evened-features.ts';
import { foldsOf, outOfFold } from '../transfer/out-of-fold.ts';
import { cosinesOf } from '../transfer/similar-images.ts';
import type { LabeledFeatures } from '../transfer/term.ts';
import { checkKey, type Predictor } from './content-keys.ts';
import { evaluatedOutputs } from './evaluated-outputs.ts';
import type { CheckResult, CheckSample, FromTrainer } from './protocol.ts';

const folds = 5;
/** Likely wrong labels that are told: a person looks at the first of them. */
const mostSuspects = 2000;
/** Images up to which all are compared with all, which takes a minute for so many. */
const mostCompared = 50_000;
/**
 * Cosine of evened features from which two images are alike. Of 20 altered copies in 5,006 photographs of birds (MobileNetV2), 19 are at
 * 0.90 or above, with 20 other pairs; at 0.92 16 and 6; at 0.88 19 and 147.
 */
const alikeFrom = 0.9;
/** Less will do where the pictures' hashes are near as well: of 350 other pairs at 0.86 or above, none is under 11 of 64 bits apart. */
const alikeWithHashFrom = 0.86;
const nearBits = 10;
const mostPairs = 10_000;
/** Bytes: hundreds of checks. */
const cacheLimit = 2 ** 28;

/** A check with images by their places. */
type Found = Omit<CheckResult, 'notes'> & { compared: boolean };

/**
 * What a pre-trained network's features tell of the labels of images: those that linear probes which have not seen the image doubt, each
 * with the most similar training images of either class, and images alike. Kept, so that the same images are looked at once, be it
 * for a check or for a run. Throws the signal's reason.
 */
export async function labelCheck(
  source: Parameters<typeof evaluatedOutputs>[0],
  predictor: Omit<Predictor, 'engine'>,
  { samples, classNames, ...images }: LabelsToCheck,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<CheckResult> {
  // The order in which every caller's images are the same.
  const ordered = samples.toSorted((a, b) => a.id - b.id);
  const outputs = await evaluatedOutputs(
    ...([source, predictor, { samples: ordered, ...images }, 'features', report, signal] as const),
  );
  const used = outputs.samples as CheckSample[];
  // Two spellings of one class are a finding of their own, not so many wrong labels.
  const spellings = classNames.map(plainName);
  const labels = Int32Array.from(used, ({ label }) => spellings.indexOf(spellings[label]));
  const key = checkKey(
    { ...predictor, engine: source.engine.info },
    used.map(({ hash, check }, place) => ({ hash, label: labels[place], ...check })),
  );
  const bytes = await openContentCache(images.cacheFolder, 'checks', cacheLimit).getOrMake(key, async () => {
    const columns = outputs.logits.length / used.length;
    const features = evened({ data: outputs.logits, rows: used.length, columns });
    return Buffer.from(JSON.stringify(await find(used, { features, labels }, classNames.length, signal)));
  });
  const { wrongLabels, alike, compared }: Found = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const idAt = (place: number) => used[place].id;
  return {
    wrongLabels: wrongLabels.map((suspect) => ({
      ...suspect,
      sample: idAt(suspect.sample),
      nearestGiven: suspect.nearestGiven === null ? null : idAt(suspect.nearestGiven),
      nearestSuggested: suspect.nearestSuggested === null ? null : idAt(suspect.nearestSuggested),
    })),
    alike: alike.map((pair) => ({ ...pair, sample: idAt(pair.sample), other: idAt(pair.other) })),
    notes: [
      ...images.unusable.notes(),
      ...(compared
        ? []
        : [
            `Of more than ${mostCompared} images, none were compared by their features with all others: nearest images and pairs are missing.`,
          ]),
    ],
  };
}

export interface LabelsToCheck {
  samples: readonly CheckSample[];
  classNames: readonly string[];
  cacheFolder: string;
  unusable: UnusableImages;
}

async function find(
  samples: readonly CheckSample[],
  { features, labels }: LabeledFeatures,
  targets: number,
  signal: AbortSignal,
): Promise<Found> {
  const keys = samples.map(({ hash, check }) => check.alike ?? hash);
  const { probabilities } = await outOfFold({ features, labels }, targets, foldsOf(labels, keys, folds), () =>
    signal.throwIfAborted(),
  );
  const suspects = likelyWrong(probabilities, labels, mostSuspects);
  const wrongLabels: Found['wrongLabels'] = suspects.map(({ image, ...suspect }) => ({
    sample: image,
    ...suspect,
    nearestGiven: null,
    nearestSuggested: null,
  }));
  const found: Found = { wrongLabels, alike: [], compared: samples.length <= mostCompared };
  if (!found.compared) return found;
  const suspectAt = new Map(suspects.map(({ image }, place) => [image, wrongLabels[place]]));
  const trainedOf = Map.groupBy(
    [...samples.keys()].filter((place) => samples[place].check.trained),
    (place) => labels[place],
  );
  const nearest = (cosines: Float32Array, image: number, label: number): number | null => {
    let best: number | null = null;
    for (const place of trainedOf.get(label) ?? [])
      if (place !== image && (best === null || cosines[place] > cosines[best])) best = place;
    return best;
  };
  await cosinesOf(features, (image, cosines) => {
    signal.throwIfAborted();
    const suspect = suspectAt.get(image);
    if (suspect) {
      suspect.nearestGiven = nearest(cosines, image, labels[image]);
      suspect.nearestSuggested = nearest(cosines, image, suspect.suggested);
    }
    for (let other = 0; other < image; other++)
      if (isAlike(cosines[other], samples[image], samples[other]) && found.alike.length < mostPairs)
        found.alike.push({ sample: image, other, cosine: cosines[other] });
  });
  return found;
}

const isAlike = (cosine: number, a: CheckSample, b: CheckSample): boolean =>
  cosine >= alikeFrom ||
  (cosine >= alikeWithHashFrom && hashDistance(a.check.perceptualHash, b.check.perceptualHash) <= nearBits);

import { hashDistance } from '../data/near-pairs.ts';
import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { likelyWrong } from '../transfer/confident-learning.ts';
import { evened } from '../transfer/evened-features.ts';
import { foldsOf, outOfFold } from '../transfer/out-of-fold.ts';
import { cosinesOf } from '../transfer/similar-images.ts';
import { evaluatedOutputs } from './evaluated-outputs.ts';
import { openSource } from './open-source.ts';
import type { CheckJob, CheckResult, CheckSample, FromTrainer } from './protocol.ts';

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

/** Looks for likely wrong labels, and for images alike by their features, with linear probes of a pre-trained network. */
export async function checkDataset(
  job: CheckJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, samples, cacheFolder, targetClasses } = job;
  const engine = await openEngine(job.engine, { cacheFolder });
  const { network, file } = openSource(model, targetClasses);
  const unusable = leaveOut(samples);
  const { samples: usable, logits: data } = await evaluatedOutputs(
    { engine, network, file },
    { model, precision: 'full' },
    { samples, cacheFolder, unusable },
    'features',
    report,
    signal,
  );
  await engine.dispose();
  const asked = new Map(samples.map((sample) => [sample.id, sample]));
  const used = usable.map(({ id }) => asked.get(id)!);
  const features = evened({ data, rows: used.length, columns: data.length / used.length });
  const labels = Int32Array.from(used, ({ label }) => label);
  const keys = used.map(({ hash, alike }) => alike ?? hash);
  const { probabilities } = await outOfFold(
    { features, labels },
    targetClasses,
    foldsOf(labels, keys, folds),
    () => signal.throwIfAborted(),
  );

  const suspects = likelyWrong(probabilities, labels, mostSuspects);
  const wrongLabels = suspects.map(({ image, ...suspect }) => ({
    sample: used[image].id,
    ...suspect,
    nearestGiven: null as number | null,
    nearestSuggested: null as number | null,
  }));
  const result: CheckResult = { wrongLabels, alike: [], notes: unusable.notes() };
  const suspectAt = new Map(suspects.map(({ image }, place) => [image, wrongLabels[place]]));
  const nearest = (cosines: Float32Array, image: number, label: number): number | null => {
    let best = -1;
    for (let i = 0; i < used.length; i++)
      if (i !== image && labels[i] === label && used[i].trained && (best < 0 || cosines[i] > cosines[best]))
        best = i;
    return best < 0 ? null : used[best].id;
  };
  if (used.length <= mostCompared)
    await cosinesOf(features, (image, cosines) => {
      signal.throwIfAborted();
      const suspect = suspectAt.get(image);
      if (suspect) {
        suspect.nearestGiven = nearest(cosines, image, labels[image]);
        suspect.nearestSuggested = nearest(cosines, image, suspect.suggested);
      }
      for (let other = 0; other < image; other++)
        if (isAlike(cosines[other], used[image], used[other]) && result.alike.length < mostPairs)
          result.alike.push({ sample: used[image].id, other: used[other].id, cosine: cosines[other] });
    });
  else
    result.notes.push(
      `Of more than ${mostCompared} images, none were compared by their features with all others: nearest images and pairs are missing.`,
    );
  report({ type: 'checked', result });
}

const isAlike = (cosine: number, a: CheckSample, b: CheckSample): boolean =>
  cosine >= alikeFrom ||
  (cosine >= alikeWithHashFrom && hashDistance(a.perceptualHash, b.perceptualHash) <= nearBits);

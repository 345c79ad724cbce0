import type { Engine } from '../engine/engine.ts';
import type { EvaluatedJob } from '../tasks/task.ts';
import { giveUpAfter } from './give-up-after.ts';
import { labelCheck } from './label-check.ts';
import { openSource } from './open-source.ts';
import type { CheckResult, CheckSample, FromTrainer, JobSample, TrainJob } from './protocol.ts';

/** Numbers that probes multiply at most in one pass over the images: images × features × classes. A check of so many takes a minute. */
const mostWork = 4e9;

/** Part of what a run has taken that the features of its images may take beside: nobody asked for them. */
const mostShare = 1 / 4;
/** Seconds that they may take after the shortest run. */
const alwaysSeconds = 20;

/**
 * Looks at the labels of all images of a run by the features of the network that it began with: its own have seen the labels that they
 * would judge. Those that a probe, a ranking, a map or a check has made are at hand; the others pass the network where that takes
 * little beside the `seconds` that the run has taken, and else stay for the next run, as far as it came. Null where the run ends
 * without, which a note tells, and where probes would take minutes.
 */
export async function checkRunLabels(
  engine: Engine,
  { model, config, samples, classNames, cacheFolder, unusable }: EvaluatedJob & Pick<TrainJob, 'samples'>,
  seconds: number,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<CheckResult | null> {
  if (!('preprocessing' in model)) return null;
  const { precision, size } = config;
  const predictor = { model, precision, size };
  const used = [...samples.train, ...samples.val, ...samples.test].filter(({ path }) => !unusable.has(path));
  const source = openSource(model, classNames.length);
  const work = used.length * source.network.backbone.features * classNames.length;
  if (!used.every(isChecked) || work > mostWork) return null;
  const watched = giveUpAfter(Math.max(alwaysSeconds, seconds * mostShare), report);
  const began = performance.now();
  const checked = { samples: used, classNames, cacheFolder, unusable };
  const either = AbortSignal.any([signal, watched.signal]);
  const result = await labelCheck({ engine, ...source }, predictor, checked, watched.report, either).catch(
    (error: unknown) => {
      if (signal.aborted || watched.expected() === null) throw error;
      return null;
    },
  );
  const took = ((performance.now() - began) / 1000).toFixed(1);
  report({
    type: 'note',
    text: result
      ? `The labels of its ${used.length} images were looked at by linear probes of the pre-trained network’s features, in ${took} s.`
      : `Only labels of test images were looked at: the pre-trained network’s features of its ${used.length} images would have taken about ${Math.ceil(watched.expected()!)} s more. A check of the dataset’s labels makes them.`,
  });
  if (result) report({ type: 'checked', result });
  return result;
}

const isChecked = (sample: JobSample): sample is CheckSample => sample.check !== undefined;

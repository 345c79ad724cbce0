import type { CallInput, Task } from '../../src-shared/contract.ts';
import type { Dataset, Sample } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { alikeByPath } from '../data/alike.ts';
import { plainName } from '../data/class-findings.ts';
import type { NewFinding } from '../store/findings.ts';
import type { Store } from '../store/store.ts';
import type { CheckJob, CheckResult } from '../trainer/protocol.ts';
import { type RunSuspect, suspectsOfRun } from './check-by-run.ts';
import { checkReading } from './check-reading.ts';
import type { Context } from './context.ts';
import { checkUnchanged } from './data-check.ts';
import { findDataset, findModel } from './lookup.ts';
import { replaceFindings } from './replace-findings.ts';
import { jobModel, jobSamples } from './run-samples.ts';

/**
 * Begins to look for likely wrong labels and images alike by a network's features, over every image of a dataset as it is edited now,
 * or for wrong labels among the test images of a run; of a dataset of texts, for what a network would not see of them. The task's result is the
 * dataset's id, its findings are what was found. A run leaves those of images that it has not looked at.
 * Errors: `bad-input` unless one of a model and a run is named, and they are of the dataset's kind.
 */
export function checkDataset(context: Context, input: CallInput<'datasets.check'>): Task {
  const { store, home, tasks, jobs } = context;
  const dataset = findDataset(store, input.dataset);
  const { run } = input;
  if ((run === undefined) === (input.model === undefined))
    throw new CotuneError(
      'bad-input',
      'Labels are checked by a pre-trained network or by a run, one of the two.',
      'Name a model, for all images, or a finished run, for its test images.',
    );
  if (run !== undefined)
    return tasks.start('check', `Labels of ${dataset.name} by run ${run}`, async () => {
      const { suspects, seen } = await suspectsOfRun(context, dataset, run);
      const findings = suspectFindings(store, dataset, suspects, `run ${run}`);
      replaceFindings(context, dataset, () =>
        store.findings.replaceOf(dataset.id, 'wrong-label', seen, findings),
      );
      return dataset.id;
    });
  const model = findModel(store, input.model!);
  if (taskNamed(dataset.task).takes === 'texts') return checkReading(context, dataset, model);
  return tasks.start('check', `Labels of ${dataset.name} by ${model.name}`, async (task) => {
    const samples = store.samples.all(dataset.id);
    await checkUnchanged(context, dataset.path, samples);
    const duplicates = store.findings.duplicates(dataset.id);
    const alike = alikeByPath(samples, duplicates);
    const { train: all } = jobSamples(home, dataset.path, { train: samples, val: [], test: [] });
    const spellings = dataset.classes.map(plainName);
    const firstSpelling = spellings.map((name) => spellings.indexOf(name));
    const job: CheckJob = {
      kind: 'check',
      engine: input.engine ?? 'auto',
      model: jobModel(home, model),
      targetClasses: dataset.classes.length,
      samples: all.map((sample, i) => ({
        ...sample,
        // Two spellings of one class are a finding of their own, not so many wrong labels.
        label: firstSpelling[sample.label],
        perceptualHash: samples[i].perceptualHash,
        alike: alike.get(samples[i].path)?.key ?? null,
        trained: samples[i].split === 'train',
      })),
      cacheFolder: home.cache,
    };
    const found = await jobs.ask(
      job,
      'findings',
      (message) => (message.type === 'checked' ? message.result : undefined),
      task,
    );
    const known = new Set(duplicates.map(({ path, other }) => pairOf(path, other!)));
    const findings = findingsOf(found, samples, dataset, model.name).filter(
      ({ path, other }) => other === undefined || !known.has(pairOf(path, other)),
    );
    replaceFindings(context, dataset, () =>
      store.findings.replace(dataset.id, ['wrong-label', 'similar'], findings),
    );
    return dataset.id;
  });
}

/** Those of images and classes that are still what the run saw. */
const suspectFindings = (
  store: Store,
  { id, classes }: Dataset,
  suspects: readonly RunSuspect[],
  by: string,
): NewFinding[] => {
  const byId = new Map(store.samples.all(id).map((sample) => [sample.id, sample]));
  return suspects.flatMap(({ sample, score, ...label }) => {
    const image = byId.get(sample);
    if (!image || classes[image.label] !== label.given || !classes.includes(label.suggested)) return [];
    return [wrongLabel(image.path, score, { ...label, nearestGiven: null, nearestSuggested: null }, by)];
  });
};

const wrongLabel = (
  path: string,
  score: number,
  label: NonNullable<NewFinding['label']>,
  by: string,
): NewFinding => ({
  kind: 'wrong-label',
  path,
  score,
  detail: `given ${label.given} (p ${probability(label.givenP)}), likely ${label.suggested} (p ${probability(label.suggestedP)}), by ${by}, which has not seen the image`,
  label,
});

const pairOf = (a: string, b: string): string => (a < b ? `${a}\0${b}` : `${b}\0${a}`);

function findingsOf(
  { wrongLabels, alike }: CheckResult,
  samples: readonly Sample[],
  { classes }: Dataset,
  model: string,
): NewFinding[] {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const wrong = wrongLabels.map(({ sample, suggested, score, ...rest }) => {
    const { path, label } = byId.get(sample)!;
    const names = { given: classes[label], suggested: classes[suggested] };
    return wrongLabel(path, score, { ...names, ...rest }, `a linear probe of ${model}`);
  });
  const pairs = alike.map(({ sample, other, cosine }): NewFinding => {
    const [a, b] = [byId.get(sample)!, byId.get(other)!];
    // The image to look at is the one outside the training split.
    const [image, original] = a.split === 'train' && b.split !== 'train' ? [b, a] : [a, b];
    return {
      kind: 'similar',
      path: image.path,
      other: original.path,
      score: cosine,
      detail: `${model} sees nearly the same as in ${original.path}: cosine ${cosine.toFixed(3)}`,
    };
  });
  return [...wrong, ...pairs];
}

const probability = (p: number): string => (p >= 0.001 ? p.toFixed(3) : p.toExponential(0));

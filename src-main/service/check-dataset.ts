import type { CallInput, Task } from '../../src-shared/contract.ts';
import type { Dataset, Sample } from '../../src-shared/domain.ts';
import { alikeByPath } from '../data/alike.ts';
import { plainName } from '../data/class-findings.ts';
import type { NewFinding } from '../store/findings.ts';
import type { CheckJob, CheckResult } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { checkUnchanged } from './data-check.ts';
import { findDataset, findModel } from './lookup.ts';
import { jobModel, jobSamples } from './run-samples.ts';

/**
 * Begins to look for likely wrong labels and images alike by a network's features, over every image of a dataset as it is edited now;
 * the task's result is the dataset's id, its findings are what was found.
 */
export function checkDataset(context: Context, input: CallInput<'datasets.check'>): Task {
  const { store, home, tasks, jobs, emit } = context;
  const dataset = findDataset(store, input.dataset);
  const model = findModel(store, input.model);
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
    store.transaction(() => {
      store.findings.replace(dataset.id, ['wrong-label', 'similar'], findings);
      store.findings.decide(dataset.id);
    });
    emit('datasets.changed', {});
    return dataset.id;
  });
}

const pairOf = (a: string, b: string): string => (a < b ? `${a}\0${b}` : `${b}\0${a}`);

function findingsOf(
  { wrongLabels, alike }: CheckResult,
  samples: readonly Sample[],
  { classes }: Dataset,
  model: string,
): NewFinding[] {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const wrong = wrongLabels.map((one): NewFinding => {
    const { path, label } = byId.get(one.sample)!;
    const { givenP, suggestedP, nearestGiven, nearestSuggested } = one;
    const [given, suggested] = [classes[label], classes[one.suggested]];
    return {
      kind: 'wrong-label',
      path,
      score: one.score,
      detail: `given ${given} (p ${probability(givenP)}), likely ${suggested} (p ${probability(suggestedP)}), as probes of ${model} see it that have not seen the image`,
      label: { given, suggested, givenP, suggestedP, nearestGiven, nearestSuggested },
    };
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

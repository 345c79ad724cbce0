import type { CallInput, Task } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { alikeByPath } from '../data/alike.ts';
import type { CheckJob } from '../trainer/protocol.ts';
import { checkByRun } from './check-by-run.ts';
import { checkReading } from './check-reading.ts';
import type { Context } from './context.ts';
import { checkUnchanged } from './data-check.ts';
import { labelFindings, probesOf, similarFindings, suspectLabels } from './label-findings.ts';
import { findDataset, findModel } from './lookup.ts';
import { replaceFindings } from './replace-findings.ts';
import { checkFactsOf, jobModel, jobSample } from './run-samples.ts';

/**
 * Begins to look for likely wrong labels and images alike by a network's features, over every image of a dataset as it is edited now,
 * or for wrong labels among the test samples of a run; of a dataset of texts, for what a network would not see of them. The task's result is the
 * dataset's id, its findings are what was found. A run leaves those of samples that it has not looked at.
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
    return tasks.start('check', `Labels of ${dataset.name} by run ${run}`, async (task) => {
      await checkByRun(context, dataset, run, task);
      return dataset.id;
    });
  const model = findModel(store, input.model!);
  if (taskNamed(dataset.task).takes === 'texts') return checkReading(context, dataset, model);
  return tasks.start('check', `Labels of ${dataset.name} by ${model.name}`, async (task) => {
    const samples = store.samples.all(dataset.id);
    await checkUnchanged(context, dataset.path, samples);
    const factsOf = checkFactsOf(alikeByPath(samples, store.findings.duplicates(dataset.id)));
    const job: CheckJob = {
      kind: 'check',
      engine: input.engine ?? 'auto',
      model: jobModel(home, model),
      classNames: dataset.classes,
      samples: samples.map((sample) => ({
        ...jobSample(home, dataset.path, sample),
        check: factsOf(sample),
      })),
      cacheFolder: home.cache,
    };
    const found = await jobs.ask(
      job,
      'findings',
      (message) => (message.type === 'checked' ? message.result : undefined),
      task,
    );
    task.tellNotes(found.notes);
    const labels = new Map(samples.map(({ id, label }) => [id, label]));
    const suspects = suspectLabels(found, labels, dataset.classes);
    const now = store.datasets.get(dataset.id) ?? dataset;
    replaceFindings(context, now, () =>
      store.findings.replace(
        dataset.id,
        ['wrong-label', 'similar'],
        [
          ...labelFindings(store, now, suspects, probesOf(model.name)),
          ...similarFindings(store, dataset.id, found.alike, model.name),
        ],
      ),
    );
    return dataset.id;
  });
}

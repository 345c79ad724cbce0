import type { Task } from '../../src-shared/contract.ts';
import type { Dataset, Model, SampleIssue } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { openBertFile } from '../text/bert-file.ts';
import { readingFindings } from '../text/reading-findings.ts';
import type { Context } from './context.ts';
import { inSlices } from './in-slices.ts';
import { replaceFindings } from './replace-findings.ts';

/**
 * Begins to look for what a network would not see of a dataset's texts, by its vocabulary and its length; the task's result is the
 * dataset's id. Errors: `bad-input` for a network of images.
 */
export function checkReading(context: Context, dataset: Dataset, model: Model): Task {
  const { store, home, tasks } = context;
  const { text } = model;
  if (!text)
    throw new CotuneError(
      'bad-input',
      `The network "${model.name}" takes images, and the dataset "${dataset.name}" holds texts.`,
      'Choose a network of texts.',
    );
  return tasks.start('check', `What ${model.name} reads of ${dataset.name}`, async (task) => {
    const { tokenizer } = openBertFile(home.modelFile(model.hash), 'pieces');
    const samples = store.samples.all(dataset.id);
    function* looked(): Generator<void, SampleIssue[]> {
      const found: SampleIssue[] = [];
      for (const [done, { path, text: content }] of samples.entries()) {
        found.push(...readingFindings([{ path, ...content! }], tokenizer, text!.positions));
        task.progress(done + 1, samples.length);
        yield;
      }
      return found;
    }
    const found = await inSlices(looked());
    replaceFindings(context, dataset, () =>
      store.findings.replace(dataset.id, ['unknown-characters', 'too-long'], found),
    );
    return dataset.id;
  });
}

import { resolve } from 'node:path';
import type { CallOutput } from '../../src-shared/contract.ts';
import { csvLine } from '../../src-shared/csv.ts';
import { tagLine } from '../../src-shared/tag-line.ts';
import { checkOutput } from '../formats/output-file.ts';
import { writeWholeMeanwhile } from '../formats/write-whole.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset } from './lookup.ts';

const linesAtOnce = 1000;

/**
 * Writes which images or texts a dataset has, with class or tags, split and group of each, edits included. Errors: `not-found`; as of
 * `checkOutput`; `unavailable` where it cannot be written.
 */
export async function writeList(
  { store }: Context,
  { dataset: name, path, overwrite }: Parameters<Handlers['datasets.writeList']>[0],
): Promise<CallOutput<'datasets.writeList'>> {
  const { id, classes } = findDataset(store, name);
  const file = resolve(path);
  checkOutput(file, overwrite);
  const samples = store.samples.all(id);
  function* blocks(): Generator<string> {
    yield csvLine(['path', 'label', 'split', 'group']);
    for (let at = 0; at < samples.length; at += linesAtOnce) {
      const lines = samples
        .slice(at, at + linesAtOnce)
        .map(({ path: image, label, text, split, group }) =>
          csvLine([image, text?.tags ? tagLine(text.tags) : classes[label], split, group ?? '']),
        );
      yield lines.join('');
    }
  }
  await writeWholeMeanwhile(file, blocks());
  return { path: file, images: samples.length };
}

import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CallInput } from '../../src-shared/contract.ts';
import type { Model } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { classList } from '../formats/class-names/class-list.ts';
import type { Context } from './context.ts';
import { dropUnused } from './drop-unused.ts';
import { keepBert } from './keep-bert.ts';
import { keepWeights } from './keep-weights.ts';

/** Keeps a copy of a weights file, or of a folder with a BERT, and registers it. Errors: `bad-input`, `conflict` where the name is another model's. */
export async function addModel(
  { store, home, emit, reader }: Context,
  { path, name, classesPath, ...overrides }: CallInput<'models.add'>,
): Promise<Model> {
  const known = store.models.getByName(name);
  if (/^\d+$/.test(name)) {
    throw new CotuneError(
      'bad-input',
      `The name "${name}" is a number.`,
      'Numbers stand for ids; add a letter.',
    );
  }
  const folder = folderOf(path);
  const { hash, facts } = folder
    ? await keepBert(home, reader, textFolder(folder, { classesPath, ...overrides }))
    : await keepWeights(home, reader, path, {
        ...overrides,
        classes: classesPath === undefined ? undefined : classList(classesPath),
      });
  if (known && known.hash !== hash) {
    dropUnused({ store, home }, hash);
    throw new CotuneError(
      'conflict',
      `The name "${name}" belongs to a model with other weights, added ${known.addedAt.slice(0, 10)}.`,
      'Choose another name, or delete that model first.',
    );
  }
  if (known) store.models.delete(known.id);
  const id = store.models.insert({ ...facts, name, hash, addedAt: new Date().toISOString() });
  emit('models.changed', {});
  return store.models.get(id)!;
}

/** The folder that is meant, where one is: its config.json, which a file dialog can choose, stands for it. */
const folderOf = (path: string): string | null =>
  basename(path) === 'config.json' ? dirname(path) : isFolder(path) ? path : null;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** A folder of a BERT, whose files say everything. Errors: `bad-input` where a person says something besides. */
function textFolder(folder: string, said: Record<string, unknown>): string {
  const [key] = Object.keys(said).filter((name) => said[name] !== undefined);
  if (key === undefined) return folder;
  throw new CotuneError(
    'bad-input',
    `${folder} is a folder, whose config.json and tokenizer say all there is to say.`,
    'Leave what is said about images out, or name a weights file.',
  );
}

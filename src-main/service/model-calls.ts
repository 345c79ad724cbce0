import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { inspectModelFile } from '../backbones/inspect.ts';
import type { Context, Handlers } from './context.ts';
import { hashFile } from './data-check.ts';
import type { Home } from './home.ts';
import { findModel } from './lookup.ts';

type Names = Extract<keyof Handlers, `models.${string}`>;

export function modelCalls({ store, home, emit }: Context): Handlers<Names> {
  const dropUnused = (hash: string) => {
    if (!store.models.usesHash(hash)) rmSync(home.modelFile(hash), { force: true });
  };

  return {
    'models.list': () => store.models.list(),
    'models.add': async ({ path, name, classesPath, ...overrides }) => {
      const file = existingFile(path, 'a safetensors file');
      const known = store.models.getByName(name);
      if (/^\d+$/.test(name)) {
        throw new CotuneError(
          'bad-input',
          `The name "${name}" is a number.`,
          'Numbers stand for ids; add a letter.',
        );
      }
      const facts = await inspectModelFile(file, {
        ...overrides,
        classes: classesPath === undefined ? undefined : readLines(classesPath),
      });
      const hash = await keep(home, file);
      if (known && known.hash !== hash) {
        dropUnused(hash);
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
    },
    'models.delete': ({ model }) => {
      const { id, hash, name } = findModel(store, model);
      const busy = (['running', 'queued'] as const)
        .flatMap((status) => store.runs.list({ status }))
        .filter((run) => run.modelId === id);
      if (busy.length > 0) {
        throw new CotuneError(
          'conflict',
          `The model "${name}" is used by run ${busy.map((run) => run.id).join(', ')}, queued or running.`,
          'Stop or delete those runs first.',
        );
      }
      store.models.delete(id);
      dropUnused(hash);
      emit('models.changed', {});
      return { ok: true };
    },
  };
}

/** Copies weights into the data folder under their SHA-256, whole and on the disk or not at all; returns it. */
async function keep(home: Home, from: string): Promise<string> {
  const temporary = home.modelFile(`${randomUUID()}.tmp`);
  try {
    await copyFile(from, temporary);
    // The copy is what is hashed: the original may be changing under a download.
    const hash = await hashFile(temporary);
    const file = await open(temporary, 'r+');
    await file.sync();
    await file.close();
    await rename(temporary, home.modelFile(hash));
    return hash;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Absolute path of a file that is there. Errors: `not-found`. */
export function existingFile(path: string, what: string): string {
  const file = resolve(path);
  if (!existsSync(file)) throw new CotuneError('not-found', `There is no file ${file}.`, `Name ${what}.`);
  return file;
}

/** Lines of a text file of names, without empty ones at the end. */
export function readLines(path: string): string[] {
  const text = readFileSync(existingFile(path, 'a text file with one class name a line'), 'utf8');
  return text.replace(/\s+$/, '').split(/\r?\n/);
}

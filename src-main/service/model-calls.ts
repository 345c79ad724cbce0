import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { mappingOf } from '../backbones/mapping.ts';
import { architectureNames, architectures } from '../backbones/registry.ts';
import { classList } from '../formats/class-names/class-list.ts';
import { calibrateModel } from './calibration.ts';
import type { Context, Handlers } from './context.ts';
import { keepWeights, openUntrusted } from './keep-weights.ts';
import { findModel } from './lookup.ts';
import { rankModels } from './rank-models.ts';

type Names = Extract<keyof Handlers, `models.${string}`>;

export function modelCalls(context: Context): Handlers<Names> {
  const { store, home, emit, reader, tasks } = context;
  const dropUnused = (hash: string) => {
    if (!store.models.usesHash(hash)) rmSync(home.modelFile(hash), { force: true });
  };

  return {
    'models.list': () => store.models.list(),
    'models.architectures': () => architectures().map(({ name, title }) => ({ name, title })),
    'models.inspect': async ({ path, architecture }) => {
      const source = await openUntrusted(reader, resolve(path));
      const candidates = architecture === undefined ? architectureNames() : [architecture];
      return mappingOf(source, candidates);
    },
    'models.add': async ({ path, name, classesPath, ...overrides }) => {
      const known = store.models.getByName(name);
      if (/^\d+$/.test(name)) {
        throw new CotuneError(
          'bad-input',
          `The name "${name}" is a number.`,
          'Numbers stand for ids; add a letter.',
        );
      }
      const classes = classesPath === undefined ? undefined : classList(classesPath);
      const { hash, facts } = await keepWeights(home, reader, resolve(path), { ...overrides, classes });
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
    'models.calibrate': ({ model: name, data, engine }) => {
      const model = findModel(store, name);
      return tasks.start('calibration', `Calibration of ${model.name}`, async (task) => {
        await calibrateModel(context, task, model, data, engine);
        return model.id;
      });
    },
    'models.rank': (input) => rankModels(context, input),
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

/** Absolute path of a file that is there. Errors: `not-found`. */
export function existingFile(path: string, what: string): string {
  const file = resolve(path);
  if (!existsSync(file)) throw new CotuneError('not-found', `There is no file ${file}.`, `Name ${what}.`);
  return file;
}

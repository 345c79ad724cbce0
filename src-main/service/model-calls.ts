import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ArchitectureTitle, Model } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { mappingOf } from '../backbones/mapping.ts';
import { architectureNames, architectures } from '../backbones/registry.ts';
import { traitsOf } from '../backbones/traits.ts';
import { addModel, dropUnused } from './add-model.ts';
import { calibrateModel } from './calibration.ts';
import type { Context, Handlers } from './context.ts';
import { fetchModel } from './fetch-model.ts';
import { openUntrusted } from './keep-weights.ts';
import { findModel } from './lookup.ts';
import { measureModel } from './measure-model.ts';
import { rankModels } from './rank-models.ts';

type Names = Extract<keyof Handlers, `models.${string}`>;

export function modelCalls(context: Context): Handlers<Names> {
  const { store, emit, reader, tasks } = context;

  return {
    'models.list': () => store.models.list(),
    'models.architectures': () => [
      ...architectures().map(({ name, title }) => ({
        name,
        title,
        traits: traitsOf({ architecture: name }),
      })),
      ...textArchitectures(store.models.list()),
    ],
    'models.inspect': async ({ path, architecture }) => {
      const source = await openUntrusted(reader, resolve(path));
      const candidates = architecture === undefined ? architectureNames() : [architecture];
      return mappingOf(source, candidates);
    },
    'models.add': (input) => addModel(context, { ...input, path: resolve(input.path) }),
    'models.fetch': (input) => fetchModel(context, input),
    'models.measure': ({ model, engine }) => measureModel(context, findModel(store, model), engine),
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
      dropUnused(context, hash);
      emit('models.changed', {});
      return { ok: true };
    },
  };
}

/** Registered BERTs by their architecture, once each. */
function textArchitectures(models: readonly Model[]): ArchitectureTitle[] {
  const byName = new Map(
    models.flatMap((model) => (model.text ? [[model.architecture, model] as const] : [])),
  );
  return [...byName].map(([name, model]) => ({
    name,
    title: `BERT, ${model.text!.layers} layers of ${model.text!.hidden}`,
    traits: traitsOf(model),
  }));
}

/** Absolute path of a file that is there. Errors: `not-found`. */
export function existingFile(path: string, what: string): string {
  const file = resolve(path);
  if (!existsSync(file)) throw new CotuneError('not-found', `There is no file ${file}.`, `Name ${what}.`);
  return file;
}

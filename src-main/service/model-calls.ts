import { resolve } from 'node:path';
import type { ArchitectureTitle, Model, NetworkTraits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { architectureNames, architectures } from '../backbones/registry.ts';
import { calibrateModel } from './calibration.ts';
import type { Context, Handlers } from './context.ts';
import { dropUnused } from './drop-unused.ts';
import { findModel } from './lookup.ts';
import { rankModels } from './rank-models.ts';

type Names = Extract<keyof Handlers, `models.${string}`>;

/** What builds networks is loaded where it is called: it brings tf.js along, and most of what a service is asked needs neither. */
export function modelCalls(context: Context): Handlers<Names> {
  const { store, emit, reader, tasks } = context;

  return {
    'models.list': () => store.models.list(),
    'models.architectures': async () => {
      const { traitsOf } = await import('../backbones/traits.ts');
      return [
        ...architectures().map(({ name, title }) => ({
          name,
          title,
          traits: traitsOf({ architecture: name }),
        })),
        ...textArchitectures(store.models.list(), traitsOf),
      ];
    },
    'models.inspect': async ({ path, architecture }) => {
      const { openUntrusted } = await import('./keep-weights.ts');
      const { mappingOf } = await import('../backbones/mapping.ts');
      const source = await openUntrusted(reader, resolve(path));
      const candidates = architecture === undefined ? architectureNames() : [architecture];
      return mappingOf(source, candidates);
    },
    'models.add': async (input) =>
      (await import('./add-model.ts')).addModel(context, { ...input, path: resolve(input.path) }),
    'models.fetch': async (input) => (await import('./fetch-model.ts')).fetchModel(context, input),
    'models.measure': async ({ model, engine }) =>
      (await import('./measure-model.ts')).measureModel(context, findModel(store, model), engine),
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
function textArchitectures(
  models: readonly Model[],
  traitsOf: (model: Model) => NetworkTraits,
): ArchitectureTitle[] {
  const byName = new Map(
    models.flatMap((model) => (model.text ? [[model.architecture, model] as const] : [])),
  );
  return [...byName].map(([name, model]) => ({
    name,
    title: `BERT, ${model.text!.layers} layers of ${model.text!.hidden}`,
    traits: traitsOf(model),
  }));
}

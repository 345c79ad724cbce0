import { splits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { ClassFile } from '../formats/class-names/read-class-file.ts';
import { contentKey } from '../formats/content-cache.ts';
import { relationshipKey } from '../trainer/content-keys.ts';
import type { ArraysJob, FromTrainer, RelationshipJob } from '../trainer/protocol.ts';
import { calibrateModel } from './calibration.ts';
import type { Context, Handlers } from './context.ts';
import { checkUnchanged, hashFile } from './data-check.ts';
import { existingFile } from './existing-file.ts';
import { findDataset, findModel } from './lookup.ts';
import { relationshipRows } from './relationship-rows.ts';
import { jobSamples, learnedRow, runModel, samplesForRun, withoutSamples } from './run-samples.ts';
import { requireSourceHead } from './source-head.ts';
import type { TaskWork } from './tasks.ts';

/** Values of a matrix in one message. */
const valuesAtOnce = 2 ** 20;
/** Rises where the same arrays would give another relationship. */
const arraysVersion = 2;

type Names = Extract<keyof Handlers, `relationships.${string}`>;

export function relationshipCalls(context: Context): Handlers<Names> {
  const { store, home, tasks } = context;

  function find(id: number) {
    const relationship = store.relationships.get(id);
    if (!relationship) throw new CotuneError('not-found', `There is no relationship ${id}.`);
    return { relationship, values: store.relationships.matrix(id)! };
  }

  return {
    'relationships.list': () => store.relationships.list(),
    'relationships.get': ({ relationship: id, top }) => {
      const { relationship, values } = find(id);
      return { relationship, rows: relationshipRows(relationship, values, top) };
    },
    'relationships.matrix': ({ relationship: id, from }) => {
      const { relationship, values } = find(id);
      const [targets, sources] = [relationship.targetClasses.length, relationship.sourceClasses.length];
      const end = Math.min(targets, from + Math.max(1, Math.floor(valuesAtOnce / sources)));
      return {
        targets,
        sources,
        values: Array.from(values.subarray(from * sources, end * sources)),
        next: end < targets ? end : null,
      };
    },
    'relationships.learn': ({ approach, engine, rate, seed, calibrationData, ...names }) => {
      const dataset = findDataset(store, names.dataset);
      const model = findModel(store, names.model);
      requireSourceHead(model, 'A relationship');
      const { samples } = samplesForRun(store, dataset, rate, seed);
      return tasks.start(
        'relationship',
        `Relationship of ${dataset.name} and ${model.name}`,
        async (task) => {
          if (calibrationData !== undefined)
            await calibrateModel(context, task, model, calibrationData, engine);
          const now = store.models.get(model.id) ?? model;
          // Loaded here, not above: it brings tf.js along.
          const { usualStep } = await import('./run-config.ts');
          const network = runModel(home, now, usualStep(now));
          const keyWithout = (left: readonly number[]) =>
            relationshipKey({
              approach,
              model: network,
              engine,
              precision: 'full',
              samples: withoutSamples(samples, new Set(left)),
              targetClasses: dataset.classes,
              sourceClasses: model.sourceClasses,
            });
          const known = store.relationships.getByKey(keyWithout([]));
          if (known) return known.id;
          if (taskNamed(dataset.task).takes === 'images')
            await checkUnchanged(
              context,
              dataset.path,
              splits.flatMap((split) => samples[split]),
            );
          const { relationship, without } = await learn(context, task, {
            kind: 'relationship',
            task: dataset.task,
            approach,
            engine,
            targetClasses: dataset.classes.length,
            classNames: dataset.classes,
            model: network,
            samples: jobSamples(home, dataset.path, samples),
            cacheFolder: home.cache,
          });
          const row = learnedRow(relationship, keyWithout(without), dataset, model);
          return store.relationships.insert(row).id;
        },
      );
    },
    'relationships.learnArrays': async (input) => {
      const { approach, sourceScale = null } = input;
      const what = 'a .npy file of logits [images, sources] or of labels [images]';
      const files = {
        trainLogits: existingFile(input.trainLogits, what),
        trainLabels: existingFile(input.trainLabels, what),
        valLogits: existingFile(input.valLogits, what),
        valLabels: existingFile(input.valLabels, what),
      };
      const classes = {
        target: await classesOf(input.targetClasses),
        source: await classesOf(input.sourceClasses),
      };
      const names = { target: classes.target?.names, source: classes.source?.names };
      return tasks.start('relationship', `Relationship from ${input.trainLogits}`, async (task) => {
        const hashes = await Promise.all(Object.values(files).map(hashFile));
        const key = contentKey({
          what: 'relationship from arrays',
          version: arraysVersion,
          arrays: hashes,
          approach,
          sourceScale,
          targetClasses: names.target ?? null,
          sourceClasses: names.source ?? null,
        });

        const known = store.relationships.getByKey(key);
        if (known) return known.id;
        const { relationship } = await learn(context, task, {
          kind: 'relationship-arrays',
          approach,
          sourceScale,
          classNames: names.target ?? null,
          ...files,
        });
        const { targets, ...learned } = relationship;
        const sources = learned.matrix.length / targets;
        return store.relationships.insert({
          ...learned,
          key,
          datasetId: null,
          modelId: null,
          datasetName: input.trainLabels,
          modelName: input.trainLogits,
          targetClasses: await named('target', targets, classes.target),
          sourceClasses: await named('source', sources, classes.source),
        }).id;
      });
    },
  };
}

/** Class names from a list by its name or path, where one is given. Its forms are loaded with it. Errors: as of `classList`. */
async function classesOf(nameOrPath: string | undefined): Promise<ClassFile | undefined> {
  if (nameOrPath === undefined) return undefined;
  const { classList } = await import('../formats/class-names/class-list.ts');
  return classList(nameOrPath);
}

/** Class names as given, or numbered. Errors: `bad-input` where their number is not that of the classes. */
async function named(kind: string, count: number, file: ClassFile | undefined): Promise<string[]> {
  if (!file) return Array.from({ length: count }, (_, i) => `${kind} ${i}`);
  const { fitClasses } = await import('../formats/class-names/read-class-file.ts');
  return fitClasses(file, count, `the ${kind} arrays`);
}

/** Runs a relationship job in a trainer process and returns what it learned. */
const learn = (
  { jobs }: Context,
  task: TaskWork,
  job: RelationshipJob | ArraysJob,
): Promise<Extract<FromTrainer, { type: 'relationship' }>> =>
  jobs.ask(job, 'a relationship', (message) => (message.type === 'relationship' ? message : undefined), task);

import { join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { readNetwork } from '../backbones/network-file.ts';
import { openEvaluationBatches } from '../data/batches.ts';
import { permutation, randomOf } from '../data/random.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { ofPixels } from '../tasks/image-classification.ts';
import { taskOf } from '../tasks/index.ts';
import type { Task } from '../tasks/task.ts';
import type { TryOut } from '../transfer/averaging/averaging.ts';
import { averagingOf } from '../transfer/averaging/index.ts';
import { accumulate, statisticsOf, statisticsProgram } from '../transfer/averaging/statistics-program.ts';
import { weightedMean } from '../transfer/averaging/weighted-mean.ts';
import { termsOf } from '../transfer/catalog.ts';
import { newHead } from '../transfer/initial-state.ts';
import { evaluationTensors, type Network, specsOf, targetHead } from '../transfer/network.ts';
import { beginRun } from './begin-run.ts';
import type { KeptEngine } from './kept-engine.ts';
import { leaveOutOf } from './leave-out-of.ts';
import { evaluationBatch } from './predict-logits.ts';
import { prepareTerms } from './prepare-terms.ts';
import type { AverageJob, FromTrainer } from './protocol.ts';
import { stopwatch } from './stopwatch.ts';
import { testTrained, validationCurves } from './test-trained.ts';

/** Training images that batch norm's statistics are made of: enough for three digits of a mean. */
const statisticsImages = 512;

/**
 * A run whose network is a mean of other runs' networks, chosen on the validation samples, tested once as every run is. Throws the
 * signal's reason when stopped; it then begins again.
 */
export async function average(
  job: AverageJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  const { config, model, samples } = job;
  const engine = await beginRun(job, report, engines);
  const watch = stopwatch(null);
  const task = taskOf(job.task);
  const [source] = job.sources;
  const ofSource = termsOf(source.config.method, source.config.extras);
  // With the layers that its terms add; averaged are runs that have the same ones.
  const { network, file } = task.openSource(model, job.classNames, ofSource);
  const { way } = averagingOf(config.method)!;
  const unusable = leaveOutOf(job, report);
  const trained = job.sources.map(({ weightsPath }) => trainedWeights(weightsPath, task, job));

  const weights = await watch.time('relationship_s', async () => {
    const networks = way.of === 'run' ? [await beginning(), ...trained] : trained;
    checkAlike(networks);
    const averaged = async (shares: readonly number[]): Promise<Arrays> => {
      const mean = weightedMean(networks, shares);
      const isOne = shares.filter((share) => share !== 0).length === 1;
      if (isOne || sharedStatistics(network, networks)) return mean;
      return { ...mean, ...(await freshStatistics(engine, network, mean, job, unusable, signal)) };
    };
    let tried = 0;
    const tryOut: TryOut = async (shares, told) => {
      signal.throwIfAborted();
      report({ type: 'progress', phase: 'prepare', done: tried, total: way.tries(networks.length) });
      const scored = { network, weights: await averaged(shares), head: 'target' } as const;
      const { val } = await task.evaluate(engine, scored, { val: samples.val }, { ...job, unusable });
      const metrics = val.metrics!;
      report({ type: 'metrics', step: tried++, values: { ...told, ...validationCurves(metrics) } });
      return { accuracy: taskNamed(job.task).score.of(metrics), nll: metrics.nll };
    };
    const shares = await way.shares(networks.length, samples.val.length > 0 ? tryOut : null);
    report({ type: 'note', text: sharesNote(way.of, shares, job) });
    return averaged(shares);
  });
  const weightsPath = join(job.runFolder, 'weights.safetensors');
  task.writeTrained(weightsPath, network, weights, job);
  await testTrained(weightsPath, 0, engine, { ...job, unusable }, watch, report, signal);

  /** The network that the run began with. */
  async function beginning(): Promise<Arrays> {
    const terms = ofSource.filter(({ term }) => term.begins || term.describe);
    const itsJob = {
      ...job,
      kind: 'train',
      config: source.config,
      relationship: null,
      teacher: null,
      resumeFrom: null,
    } as const;
    const pretrained = readNetwork(file, file.tensors);
    const tools = { engine, network, file, unusable, weights: () => pretrained };
    const prepared = await prepareTerms(terms, tools, itsJob, report, signal);
    if (!terms.some(({ term }) => term.begins === 'images'))
      report({
        type: 'note',
        text: 'At α = 0 stands the pre-trained network with a new, untrained head: it tells no classes apart, and small α mean little.',
      });
    const begun: Arrays = { ...newHead(network, source.config.seed), ...pretrained, ...prepared };
    const specs = specsOf(evaluationTensors(network, 'target'));
    // What a term adds and does not draw is zero, as in a training that begins.
    const zeros = (name: string) => new Float32Array(specs[name].shape.reduce((a, b) => a * b, 1));
    return Object.fromEntries(Object.keys(specs).map((name) => [name, begun[name] ?? zeros(name)]));
  }
}

/** A run's weights by the names of a network in training. */
function trainedWeights(path: string, task: Task, { model }: AverageJob): Arrays {
  const { network, weights } = task.openTrained(path, model);
  const head = `${network.backbone.head}.`;
  return Object.fromEntries(
    Object.entries(weights).map(([name, values]) => [
      name.startsWith(head) ? `${targetHead}.${name.slice(head.length)}` : name,
      values,
    ]),
  );
}

/** Errors: `bad-input` where a tensor of one network is not in another, or of another shape. */
function checkAlike(networks: readonly Arrays[]): void {
  const [first, ...others] = networks;
  for (const other of others)
    for (const name of Object.keys(first))
      if (first[name].length !== other[name]?.length)
        throw new CotuneError(
          'bad-input',
          `The networks differ: the tensor ${name} is not the same in all of them.`,
          'Average runs of one method, which leaves the network as it is.',
        );
}

/** Whether all networks have the same running statistics: then they were kept, and are not the average's to make anew. */
const sharedStatistics = (network: Network, [first, ...others]: readonly Arrays[]): boolean =>
  statisticsOf(network).every((name) =>
    others.every((other) => first[name].every((value, j) => value === other[name][j])),
  );

/**
 * Running statistics of averaged weights, made anew on training images (Izmailov et al., «Averaging Weights Leads to Wider
 * Optima», UAI 2018, section 3.2): those of the weights that were averaged belong to other activations.
 */
async function freshStatistics(
  engine: Engine,
  network: Network,
  weights: Arrays,
  { samples: { train }, config: { size }, model, cacheFolder }: AverageJob,
  unusable: UnusableImages,
  signal: AbortSignal,
): Promise<Arrays> {
  // Mixed: a batch of one class has a variance of its own.
  const order = permutation(train.length, randomOf(0, 'statistics'));
  const batch = Math.min(evaluationBatch, train.length);
  const count = Math.min(Math.floor(train.length / batch), statisticsImages / evaluationBatch);
  const chosen = Array.from(order.slice(0, count * batch), (i) => train[i]);
  const images = { size, preprocessing: ofPixels(model).preprocessing, cacheFolder, unusable };
  const program = statisticsProgram(network, batch, size);
  const constants = constantsOf(program, weights);
  const batches = await openEvaluationBatches({ samples: chosen, batch, ...images });
  const executable = await engine.compile(program, { constants, yields: true });
  let means: Arrays = {};
  let done = 0;
  try {
    for await (const { images: pixels, unusable } of batches) {
      signal.throwIfAborted();
      // The place of an image that cannot be used is empty.
      if (unusable.length > 0) continue;
      means = accumulate(means, await executable.run({ images: pixels }), done++);
    }
  } finally {
    await executable.dispose();
  }
  return means;
}

function sharesNote(
  of: 'run' | 'runs',
  shares: readonly number[],
  { task, sources, samples }: AverageJob,
): string {
  const { samples: called } = taskNamed(task);
  const by =
    samples.val.length > 0
      ? `chosen on ${samples.val.length} validation ${called}`
      : `not chosen: there are no validation ${called}`;
  if (of === 'run') return `α = ${shares[1]} of run ${sources[0].run}, ${by}.`;
  const kept = sources.filter((_, i) => shares[i] > 0).map(({ run }) => run);
  return `The mean of ${kept.length === 1 ? 'run' : 'runs'} ${kept.join(', ')}${kept.length < sources.length ? `, ${by}, of ${sources.map(({ run }) => run).join(', ')}` : ''}.`;
}

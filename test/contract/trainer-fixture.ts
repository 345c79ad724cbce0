import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import type { JobMessage } from '../../src-main/service/trainer-job.ts';
import { runJob } from '../../src-main/trainer/jobs.ts';
import { type KeptEngine, keepEngine } from '../../src-main/trainer/kept-engine.ts';
import type { FromTrainer, Job, JobModel, JobSample, TrainJob } from '../../src-main/trainer/protocol.ts';
import type { RunConfig } from '../../src-shared/domain.ts';
import { usualConfig } from '../usual-config.ts';

const classNames = ['red', 'grün', 'blue'];

/** A folder with pictures of three colors in noise, and a small network with random weights for five source classes. */
export async function trainerFixture(architecture: string = 'resnet18') {
  const folder = mkdtempSync(join(tmpdir(), 'cotune-trainer-'));
  const cacheFolder = join(folder, 'cache');
  mkdirSync(cacheFolder);
  const train = await pictures(folder, 'train', 5);
  const samples = { train, val: await pictures(folder, 'val', 2), test: await pictures(folder, 'test', 3) };
  const model = sourceModel(folder, architecture);
  let runs = 0;
  return {
    folder,
    cacheFolder,
    model,
    samples,
    /** A training job in a fresh run folder. */
    job(changes: Partial<RunConfig> = {}, more: Partial<TrainJob> = {}): TrainJob {
      const run = ++runs;
      const config: RunConfig = { ...defaults, ...changes };
      const runFolder = join(folder, `run-${run}`);
      return {
        kind: 'train',
        task: 'image-classification',
        run,
        config,
        targetClasses: classNames.length,
        classNames,
        model,
        samples,
        relationship: null,
        teacher: null,
        cacheFolder,
        runFolder,
        resumeFrom: null,
        ...more,
      };
    },
  };
}

export const defaults: RunConfig = {
  ...usualConfig,
  dataset: 'colors',
  model: 'narrow',
  seed: 3,
  steps: 6,
  batch: 4,
  size: 32,
  learningRate: 0.01,
  schedule: { name: 'step', decayAt: [4], decayFactor: 0.1 },
  engine: 'cpu',
  evaluateEvery: 0,
  checkpointEvery: 0,
};

let nextId = 1;

async function pictures(folder: string, split: string, perClass: number): Promise<JobSample[]> {
  const samples: JobSample[] = [];
  for (const [label, name] of classNames.entries())
    for (let index = 0; index < perClass; index++) {
      const id = nextId++;
      const random = randomOf(id, 'picture');
      const pixels = Uint8Array.from({ length: 40 * 36 * 3 }, (_, at) =>
        Math.floor(random() * 128 + (at % 3 === label ? 127 : 0)),
      );
      const path = join(folder, `${split}-${name}-${index}.png`);
      await sharp(pixels, { raw: { width: 40, height: 36, channels: 3 } })
        .png()
        .toFile(path);
      samples.push({ id, path, hash: createHash('sha256').update(readFileSync(path)).digest('hex'), label });
    }
  return samples;
}

export function sourceModel(folder: string, architecture: string): JobModel {
  // Files tell the width of few networks.
  const width = architecture === 'resnet18' ? 1 / 8 : 1;
  const backbone = createBackbone({ architecture, padding: 'same', width });
  const random = randomOf(11, 'network');
  const path = join(folder, 'source.safetensors');
  writeSafetensors(
    path,
    [...backbone.tensors, ...sourceHead(backbone, 5)].map(({ name, shape, kind }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const scale = Math.sqrt(2 / shape.slice(1).reduce((a, b) => a * b, 1));
      const one = name.endsWith('running_var') || /(\d|\bln)\.weight$/.test(name);
      const value = () => (shape.length > 1 ? (2 * random() - 1) * scale : kind !== 'linear' && one ? 1 : 0);
      return [name, { shape, values: Float32Array.from({ length: count }, value) }];
    }),
  );
  return {
    path,
    hash: createHash('sha256').update(readFileSync(path)).digest('hex'),
    architecture,
    padding: 'same',
    batchNormEpsilon: 1e-3,
    preprocessing: { inputSize: 32, resizeShorter: 36, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    sourceClasses: 5,
    temperature: null,
  };
}

type Of<T extends FromTrainer['type']> = Extract<FromTrainer, { type: T }>;

/** Everything one job said. */
export class Transcript {
  readonly messages: (FromTrainer | JobMessage)[] = [];
  all<T extends FromTrainer['type']>(type: T): Of<T>[] {
    return this.messages.filter((message): message is Of<T> => message.type === type);
  }
  one<T extends FromTrainer['type']>(type: T): Of<T> {
    const [message] = this.all(type);
    if (!message)
      throw new Error(`No message "${type}" among: ${this.messages.map((m) => m.type).join(', ')}`);
    return message;
  }
  /** Values of a curve by step. */
  curve(name: string): Map<number, number> {
    const points = this.all('metrics').filter(({ values }) => name in values);
    return new Map(points.map(({ step, values }) => [step, values[name]]));
  }
  probabilities(split: 'val' | 'test'): number[] {
    return this.all('predictions').flatMap(({ predictions }) =>
      predictions.split === split ? [...predictions.probabilities] : [],
    );
  }
}

/** What jobs in a row share, as those of a trainer process do. */
let shared: KeptEngine | undefined;

/**
 * Runs a job in this process, with the engine of the job before unless one is given; one that fails ends it. `onMessage` may
 * abort it. Rejects as the job does, with the transcript filled so far.
 */
export async function converse(
  job: Job,
  onMessage: (message: FromTrainer, abort: AbortController) => void = () => {},
  transcript = new Transcript(),
  given?: KeptEngine,
): Promise<Transcript> {
  const abort = new AbortController();
  const report = (message: FromTrainer) => {
    transcript.messages.push(message);
    onMessage(message, abort);
  };
  const engines = given ?? shared ?? keepEngine();
  if (!given) shared = undefined;
  try {
    await runJob(job, report, abort.signal, engines);
  } catch (error) {
    if (!given) await engines.dispose();
    throw error;
  }
  if (!given) shared = engines;
  return transcript;
}

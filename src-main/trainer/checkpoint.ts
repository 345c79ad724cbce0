import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { splits } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays, Specs } from '../engine/engine.ts';
import { readSafetensorsHeader, readTensors, writeSafetensors } from '../formats/safetensors.ts';
import { copyWhole } from '../formats/write-whole.ts';
import type { Validation } from '../transfer/term.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';
import type { Timing } from './stopwatch.ts';

/** Where a run stands after `step` steps: with it, the run goes on as if it had never been interrupted. */
export interface Checkpoint {
  step: number;
  /** Parameters, momentum, running statistics, relationship: the training program's whole state. */
  state: Arrays;
  /** The best validation so far, whose weights are in `bestPath`; null before the first. */
  best: Validation | null;
  /** Validations so far. */
  validations: readonly Validation[];
  /** Seconds spent so far. */
  timing: Timing;
  /** Engine that trained so far. */
  engine: string;
}

/** What a trainer said of a run between two checkpoints: who finds the second unrecorded can write it down. */
export interface Said {
  /** Step of the checkpoint before, or of where this attempt began. */
  after: number;
  messages: Extract<FromTrainer, { type: 'metrics' | 'note' }>[];
  /** Whether this attempt learned a relationship, which is not in here. */
  relationship: boolean;
}

/** SHA-256 over everything that decides a run's numbers, but for the machine and the engine. */
function runHash({ config, model, samples, targetClasses }: TrainJob): string {
  const { dataset, model: modelName, engine, ...numbers } = config;
  const images = splits.map((split) => samples[split].map(({ hash, label }) => [hash, label]));
  return createHash('sha256')
    .update(JSON.stringify([numbers, model.hash, targetClasses, images]))
    .digest('hex');
}

export const checkpointPath = (folder: string, step: number): string =>
  join(folder, `checkpoint-${step}.safetensors`);

/** Weights with the best validation so far, as of `step`. */
export const bestPath = (folder: string, step: number): string => join(folder, `best-${step}.safetensors`);

/** Step of a checkpoint's file, by its name; undefined for any other file. */
export function checkpointStep(path: string): number | undefined {
  const step = /^checkpoint-(\d+)\.safetensors$/.exec(basename(path))?.[1];
  return step === undefined ? undefined : Number(step);
}

/** How a run's random numbers are drawn. A checkpoint of another way cannot be gone on from as if nothing had happened. */
const randomness = 'threefry4x32-20, masks by gaps';

/** What was said before a checkpoint; undefined for one of an earlier version. Throws `bad-input` where it is damaged. */
export function saidBefore(path: string): Said | undefined {
  const { said } = readSafetensorsHeader(path).metadata;
  return said === undefined ? undefined : JSON.parse(said);
}

/** File of the best weights that the checkpoint at `path` names, or null. Throws `bad-input` where it is damaged. */
export function bestOf(path: string): string | null {
  const best: Checkpoint['best'] = JSON.parse(readSafetensorsHeader(path).metadata.best ?? 'null');
  return best && bestPath(dirname(path), best.step);
}

/** Writes a checkpoint whole or not at all. Returns its path. */
export function writeCheckpoint(job: TrainJob, specs: Specs, checkpoint: Checkpoint, said: Said): string {
  const { step, state, best, validations, timing, engine } = checkpoint;
  const path = checkpointPath(job.runFolder, step);
  writeSafetensors(
    path,
    Object.entries(specs).map(([name, { shape }]) => [name, { shape, values: state[name] as Float32Array }]),
    {
      run: runHash(job),
      step: String(step),
      best: JSON.stringify(best),
      validations: JSON.stringify(validations),
      timing: JSON.stringify(timing),
      engine,
      randomness,
      said: JSON.stringify(said),
    },
  );
  return path;
}

/**
 * Reads a checkpoint of this very run, and brings the best weights that it names into this run's folder. Throws `conflict`
 * where it belongs to another, `bad-input` where it is damaged or those weights are gone.
 */
export function readCheckpoint(job: TrainJob, specs: Specs, path: string): Checkpoint {
  const header = readSafetensorsHeader(path);
  const { run, step, best, validations = '[]', timing, engine } = header.metadata;
  if (header.metadata.randomness !== randomness)
    throw new CotuneError(
      'conflict',
      `The checkpoint ${path} was written by an earlier version of this program, which drew other random numbers: the run would end with neither version's result.`,
      'Start a new run with the same settings.',
    );
  if (run !== runHash(job))
    throw new CotuneError(
      'conflict',
      `The checkpoint ${path} belongs to a run with other settings, images or weights.`,
      'Start a new run.',
    );
  const named = bestOf(path);
  if (named !== null && !existsSync(named))
    throw new CotuneError(
      'bad-input',
      `The checkpoint ${path} needs the weights ${named}, which are gone.`,
      'Start a new run.',
    );
  if (named !== null && dirname(named) !== job.runFolder)
    copyWhole(named, join(job.runFolder, basename(named)));
  return {
    step: Number(step),
    state: Object.fromEntries(readTensors(header, Object.keys(specs))),
    best: JSON.parse(best),
    validations: JSON.parse(validations),
    timing: JSON.parse(timing),
    engine,
  };
}

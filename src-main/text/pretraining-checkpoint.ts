import { existsSync } from 'node:fs';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays, Specs } from '../engine/engine.ts';
import { readSafetensorsHeader, readTensors, writeSafetensors } from '../formats/safetensors.ts';

/** A pre-training between two steps. */
export interface PretrainingCheckpoint {
  /** What it follows from, beside the number of steps. */
  recipe: string;
  /** Steps done, and steps of the whole. */
  step: number;
  steps: number;
  state: Arrays;
}

export function writeCheckpoint(
  path: string,
  specs: Specs,
  { recipe, step, steps, state }: PretrainingCheckpoint,
): void {
  const tensors = Object.entries(specs).map(
    ([name, { shape }]): [string, { shape: number[]; values: Float32Array }] => [
      name,
      { shape, values: state[name] as Float32Array },
    ],
  );
  writeSafetensors(path, tensors, { recipe, step: String(step), steps: String(steps) });
}

/** Null where there is none. Errors: `conflict` where it is of another recipe. */
export function readCheckpoint(path: string, recipe: string): PretrainingCheckpoint | null {
  if (!existsSync(path)) return null;
  const header = readSafetensorsHeader(path);
  const { metadata } = header;
  if (metadata.recipe !== recipe)
    throw new CotuneError(
      'conflict',
      `${path} is of a training with other texts or settings.`,
      'Give the ones that it was begun with, or another folder, or delete that file.',
    );
  return {
    recipe,
    step: Number(metadata.step),
    steps: Number(metadata.steps),
    state: Object.fromEntries(readTensors(header, header.tensors.keys())),
  };
}

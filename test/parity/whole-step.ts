import { createBackbone } from '../../src-main/backbones/index.ts';
import type { Arrays, Engine, Program } from '../../src-main/engine/engine.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';
import { random } from './parity.ts';

const batch = 4;
const size = 64;
const targetClasses = 5;
const sourceClasses = 7;

/** Co-tuning's whole training step of a real backbone, an eighth as wide, on four small images. */
export function wholeStep(architecture: string, padding: 'symmetric' | 'same', width = 1 / 8): Program {
  const backbone = createBackbone({ architecture, padding, width });
  return trainingProgram(
    { backbone, batchNormEpsilon: 1e-5, sourceClasses, targetClasses },
    {
      terms: termsOf([{ name: 'cotuning' }]),
      batch,
      size,
      optimizer: optimizerOf({ name: 'sgd' }),
      headLearningRateMultiplier: 10,
    },
  );
}

/**
 * State from a seed. Batch norm's scales are around a half: a hundred layers at full scale would turn the rounding errors
 * of one step into another network two steps later. Its shifts are well above: what comes out is mostly positive, so
 * that hardly a value lies so close to ReLU's kink that a rounding error switches it.
 */
function stateOf(program: Program): Record<string, Float32Array> {
  const { next } = random(1);
  const around = (middle: number, spread: number) => middle + spread * (2 * next() - 1);
  const draw = (name: string, shape: number[]): number => {
    if (name.startsWith('momentum/')) return 0;
    if (name === 'cotuning/relationship') return 1 / sourceClasses;
    if (name.endsWith('running_mean')) return 0;
    if (name.endsWith('running_var')) return 1;
    if (shape.length === 1) return around(name.endsWith('.bias') ? 1.2 : 0.5, 0.1);
    const inputs = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
    return around(0, Math.sqrt(6 / inputs));
  };
  return Object.fromEntries(
    Object.entries(program.state).map(([name, { shape }]) => {
      const length = shape.reduce((product, extent) => product * extent, 1);
      return [name, Float32Array.from({ length }, () => draw(name, shape))];
    }),
  );
}

export interface Steps {
  /** Loss of each step. */
  losses: number[];
  /** Everything the program holds after the last. */
  state: Arrays;
}

/** So many steps on an engine for each of `noises`: every number at the start is moved by up to so large a share of itself. */
export async function runSteps(
  engine: Engine,
  program: Program,
  steps: number,
  noises: number[] = [0],
): Promise<Steps[]> {
  const labels = Int32Array.from({ length: batch }, (_, index) => index);
  const executable = await engine.compile(program);
  const results: Steps[] = [];
  for (const [seed, noise] of noises.entries()) {
    const { next } = random(100 + seed);
    const moved = (values: Float32Array) => values.map((value) => value * (1 + noise * (2 * next() - 1)));
    const state = Object.entries(stateOf(program)).map(([name, values]) => [name, moved(values)] as const);
    await executable.load(Object.fromEntries(state));
    const images = moved(imageValues());
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const { loss } = await executable.run({ images, labels, learning_rate: Float32Array.of(0.001) });
      losses.push(loss[0]);
    }
    results.push({ losses, state: await executable.read() });
  }
  await executable.dispose();
  return results;
}

function imageValues(): Float32Array {
  const { next } = random(2);
  return Float32Array.from({ length: batch * size * size * 3 }, () => 2 * next() - 1);
}

/** The largest distance between two tensors; infinite where a number is none. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = Math.abs(a[index] - b[index]);
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return worst;
}

export const magnitude = (a: ArrayLike<number>): number => distance(a, new Float32Array(a.length));

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import {
  activation,
  batchNorm,
  convolution,
  globalPool,
  linear,
} from '../../src-main/backbones/description.ts';
import { toTf } from '../../src-main/backbones/layouts.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine } from '../../src-main/engine/engine.ts';
import { beginningOf } from '../../src-main/transfer/averaging/beginning.ts';
import { averagings } from '../../src-main/transfer/averaging/index.ts';
import { accumulate, statisticsProgram } from '../../src-main/transfer/averaging/statistics-program.ts';
import { weightedMean } from '../../src-main/transfer/averaging/weighted-mean.ts';
import { evaluationProgram } from '../../src-main/transfer/evaluation-program.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import type { RunConfig } from '../../src-shared/domain.ts';
import recorded from '../fixtures/averaged-weights.json' with { type: 'json' };
import { agrees } from './terms.ts';

type Nested = number | readonly Nested[];
const flat = (values: Nested): number[] => (typeof values === 'number' ? [values] : values.flatMap(flat));

/** The recorded network, with a third input channel of zeros. */
const backbone = buildBackbone(
  {
    batchNorm: { epsilon: 1e-5, momentum: 0.1 },
    stages: [
      [convolution('conv', 3, { kernel: 3, bias: true }), batchNorm('bn'), activation('relu')],
      [],
      [],
      [],
      [],
    ],
    neck: [globalPool()],
    head: [linear('fc', 'classes')],
  },
  'symmetric',
);
const network: Network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 4, targetClasses: 4 };
const tensors = [...backbone.tensors, ...backbone.headTensors('fc', 4)];
const third = (filter: Nested): Nested => [
  ...(filter as Nested[]),
  [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
];
function weightsOf(one: Record<string, Nested>): Arrays {
  return Object.fromEntries(
    tensors.map((tensor) => {
      const value = one[tensor.name];
      const filled = tensor.name === 'conv.weight' ? (value as Nested[]).map(third) : value;
      return [tensor.name, toTf(tensor, Float32Array.from(flat(filled)))];
    }),
  );
}
const { a, b, c } = recorded.weights;
const [ofA, ofB, ofC] = [a, b, c].map((one) => weightsOf(one as never));

/** Channels first, two of them, to three channels last. */
function pixels(images: readonly (readonly (readonly (readonly number[])[])[])[]): Float32Array {
  return Float32Array.from(
    images.flatMap(([first, second]) =>
      first.flatMap((row, y) => row.flatMap((value, x) => [value, second[y][x], 0])),
    ),
  );
}

let engine: Engine;
beforeAll(async () => {
  engine = await openReferenceEngine();
});
afterAll(() => engine.dispose());

async function logits(weights: Arrays, images: typeof recorded.x): Promise<Float32Array> {
  const executable = await engine.compile(evaluationProgram(network, 'source', images.length, 5));
  await executable.load(structuredClone(weights));
  return (await executable.run({ images: pixels(images) })).logits as Float32Array;
}

async function correct(weights: Arrays): Promise<number> {
  const found = await logits(weights, recorded.validation_x);
  return recorded.validation_labels.filter((label, i) => {
    const row = found.subarray(i * 4, i * 4 + 4);
    return row.indexOf(Math.max(...row)) === label;
  }).length;
}

test.each(recorded.wise_ft)(
  'interpolated at $alpha the logits are those recorded from PyTorch',
  async (want) => {
    const mean = weightedMean([ofA, ofB], [1 - want.alpha, want.alpha]);
    agrees(await logits(mean, recorded.x), want.logits);
    expect(await correct(mean)).toBe(want.validation_correct);
  },
);

test('a share of one gives that network’s very numbers', () => {
  expect(weightedMean([ofA, ofB], [0, 1])).toEqual(ofB);
  expect(weightedMean([ofA, ofB], [1, 0])).toEqual(ofA);
});

test('batch norm’s statistics are made anew over batches as PyTorch does without a momentum', async () => {
  for (const want of recorded.wise_ft) {
    const mean = weightedMean([ofA, ofB], [1 - want.alpha, want.alpha]);
    let fresh: Arrays = {};
    for (const [count, batch] of [recorded.x.slice(0, 3), recorded.x.slice(3)].entries()) {
      const executable = await engine.compile(statisticsProgram(network, batch.length, 5));
      await executable.load(
        Object.fromEntries(backbone.tensors.map(({ name }) => [name, mean[name].slice()])),
      );
      fresh = accumulate(fresh, await executable.run({ images: pixels(batch) }), count);
    }
    agrees(fresh['bn.running_mean'], want.running_mean_reestimated);
    agrees(fresh['bn.running_var'], want.running_var_reestimated);
    agrees(await logits({ ...mean, ...fresh }, recorded.x), want.logits_reestimated);
  }
});

const way = (name: string) => averagings.find((one) => one.name === name)!;

test('the uniform and the greedy soup are those recorded', async () => {
  const networks = [ofA, ofB, ofC];
  const uniform = weightedMean(networks, await way('uniform-soup').shares(3, null));
  agrees(await logits(uniform, recorded.x), recorded.uniform_soup_abc.logits);
  const told: number[][] = [];
  const shares = await way('greedy-soup').shares(3, async (tried) => {
    const hits = await correct(weightedMean(networks, tried));
    told.push([tried.filter((share) => share > 0).length, hits]);
    return { accuracy: hits / 24, nll: 0 };
  });
  const { single_correct: single, steps } = recorded.greedy_soup;
  expect(told).toEqual([
    [1, single.a],
    [1, single.b],
    [1, single.c],
    ...steps.slice(1).map(({ tried, correct: hits }) => [tried.length, hits]),
  ]);
  expect(shares).toEqual([0, 0.5, 0.5]);
});

test('a candidate that leaves the accuracy as it is stays out of the greedy soup', async () => {
  const shares = await way('greedy-soup').shares(3, async () => ({ accuracy: 0.5, nll: 1 }));
  expect(shares).toEqual([1, 0, 0]);
  await expect(way('greedy-soup').shares(3, null)).rejects.toThrow(/no validation samples/);
});

test('interpolation takes the most accurate point, of equals the one with the lowest NLL', async () => {
  const score = (alpha: number) => ({
    accuracy: alpha > 0.25 && alpha < 0.65 ? 0.9 : 0.5,
    nll: (alpha - 0.6) ** 2,
  });
  const tried: number[] = [];
  const shares = await way('interpolation').shares(2, async ([, alpha], told) => {
    expect(told.alpha).toBe(alpha);
    tried.push(alpha);
    return score(alpha);
  });
  expect(tried).toHaveLength(11);
  expect(shares[1]).toBe(0.6);
  expect(await way('interpolation').shares(2, null)).toEqual([0.5, 0.5]);
});

test('runs begin alike by seed, and those whose head is solved for whatever their seed', () => {
  const begun = (method: string, seed: number, modelHash = 'm') =>
    beginningOf({
      config: { method: [{ name: method }], extras: [], seed } as never as RunConfig,
      modelHash,
    });
  expect(begun('finetune', 1)).toBe(begun('bss', 1));
  expect(begun('finetune', 1)).not.toBe(begun('finetune', 2));
  expect(begun('finetune', 1)).not.toBe(begun('finetune', 1, 'other'));
  expect(begun('lp-ft', 1)).toBe(begun('lp-ft', 2));
  expect(begun('lp-ft', 1)).not.toBe(begun('finetune', 1));
  expect(begun('scratch', 1)).not.toBe(begun('finetune', 1));
});

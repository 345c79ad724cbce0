import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { toTf, toTorch } from '../../src-main/backbones/layouts.ts';
import { visionTransformer } from '../../src-main/backbones/networks/vit.ts';
import type { Arrays, Engine, Tensors } from '../../src-main/engine/engine.ts';
import { optimizerOf } from '../../src-main/transfer/catalog.ts';
import { crossEntropy } from '../../src-main/transfer/cross-entropy.ts';
import {
  classify,
  evaluationScope,
  type Network,
  specsOf,
  targetHead,
} from '../../src-main/transfer/network.ts';
import { slotName } from '../../src-main/transfer/optimizer.ts';
import { networkTensors } from '../../src-main/transfer/step-plan.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';

/**
 * Networks with formula-filled weights whose logits, gradients and optimizer steps were recorded from PyTorch in
 * float64; the formulas stand in each fixture's `formula`.
 */
export interface ReferenceNet {
  net: string;
  config: {
    conv: number;
    head: number;
    bn_shift: number;
    bn_scale?: number;
    bias_shift?: number;
    salt: number;
  };
  eval_logits: number[][];
  loss: number;
  loss_after_step1: number;
  loss_after_step2: number;
  bn_after_one_training_forward: Record<
    string,
    Record<'running_mean' | 'running_var', { first16: number[] }>
  >;
  params: Record<string, ReferenceParameter>;
  global_grad_l2: number;
  /** An image on which pooling windows stick out, as PyTorch's ceil_mode has them. */
  ceil_mode_case?: {
    input: { shape: [number, number, number, number] };
    labels: number[];
    logits: number[][];
    loss: number;
    grad: Record<string, ReferenceParameter['grad']>;
  };
}

interface ReferenceParameter {
  zero_grad: boolean;
  grad: { l2: number; max_abs: number; first6: number[] };
  after_step1: { first6: number[] };
  after_step2: { first6: number[] };
}

const fixture = (net: string, file: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/backbones/${net}/${file}.json`, import.meta.url), 'utf8'));

export const referenceNet = (net: string): ReferenceNet => fixture(net, 'expected');

interface NameRow {
  name: string;
  shape: number[];
  kind: string;
  last: number;
}
export const referenceNames = (net: string): NameRow[] =>
  fixture(net, 'names').filter(({ kind }: NameRow) => kind !== 'counter');

/** timm's names of the tensors of `vit`, each beside torchvision's. */
export const timmNamesOfVit = (): { name: string; torchvision: string }[] => fixture('vit', 'names_timm');

const batch = 4;
const size = 64;
const classes = 10;

/** `vit` is smaller than any published one. */
export function referenceNetwork(net: string): Network {
  const backbone =
    net === 'vit'
      ? buildBackbone(
          visionTransformer({ patch: 16, layers: 3, heads: 4, hidden: 64, mlp: 128 }, 4),
          'symmetric',
        )
      : createBackbone({ architecture: net, padding: 'symmetric', width: 1 });
  const { epsilon } = backbone.batchNorm;
  return { backbone, batchNormEpsilon: epsilon, sourceClasses: classes, targetClasses: classes };
}

/** The formula's r counts on so far. */
const period = 8191;

const filled = new WeakMap<ReferenceNet, Map<string, Float32Array>>();

/** Values of one named tensor in PyTorch's layout, by the fixture's formula; not to be changed. */
export function fill(row: NameRow, reference: ReferenceNet, head: string): Float32Array {
  const known = filled.get(reference) ?? new Map<string, Float32Array>();
  filled.set(reference, known);
  const values = known.get(row.name) ?? formulaValues(row, reference, head);
  known.set(row.name, values);
  return values;
}

function formulaValues({ name, shape, kind }: NameRow, reference: ReferenceNet, head: string): Float32Array {
  const {
    conv,
    head: headFactor,
    bn_shift: shift,
    bn_scale: scale = 1,
    bias_shift: bias = 0,
    salt,
  } = reference.config;
  const code =
    [...name].reduce((sum, letter, index) => sum + letter.charCodeAt(0) * (index + 1), salt) % 1000;
  const count = shape.reduce((a, b) => a * b, 1);
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  const matrix = (name.startsWith(`${head}.`) ? headFactor : conv) * Math.sqrt(2 / fanIn);
  const values: Record<string, (s: number) => number> = {
    conv_weight: (s) => matrix * s,
    linear_weight: (s) => matrix * s,
    conv_bias: (s) => bias + 0.01 * s,
    linear_bias: (s) => bias + 0.01 * s,
    bn_weight: (s) => scale * (1 + 0.1 * s),
    bn_bias: (s) => shift + 0.1 * s,
    bn_running_mean: (s) => 0.1 * s,
    bn_running_var: (s) => 1 + 0.2 * s * s,
    ln_weight: (s) => 1 + 0.1 * s,
    ln_bias: (s) => 0.1 * s,
    layer_scale: (s) => 0.3 + 0.1 * s,
    embedding: (s) => 0.2 * s,
  };
  const value = values[kind];
  const result = new Float32Array(count);
  // sin(a_r + 1.7 i) with i = 8191 k + r, turned on from the first 8191 of them: millions of sines would take a minute.
  const first = Array.from({ length: Math.min(count, period) }, (_, r) => {
    const angle = 0.5 + 1.7 * r + code + 0.9 * ((r * r) % period);
    return [Math.sin(angle), Math.cos(angle)];
  });
  for (let begin = 0; begin < count; begin += period) {
    const [sine, cosine] = [Math.sin(1.7 * begin), Math.cos(1.7 * begin)];
    for (let r = 0; r < period && begin + r < count; r++)
      result[begin + r] = value(first[r][0] * cosine + first[r][1] * sine);
  }
  return result;
}

/** The recorded input as NHWC: x_i = sin(0.1 (n+1) i) + 0.3 cos(0.037 ((r r) mod 1009)), i over [n, c, h, w]. */
function images(count = batch, plane = size * size): Float32Array {
  const result = new Float32Array(count * 3 * plane);
  for (let i = 0; i < result.length; i++) {
    const n = Math.floor(i / (3 * plane));
    const c = Math.floor(i / plane) % 3;
    const r = i % 1009;
    const value = Math.sin(0.1 * (n + 1) * i) + 0.3 * Math.cos(0.037 * ((r * r) % 1009));
    result[(n * plane + (i % plane)) * 3 + c] = value;
  }
  return result;
}

/** Formula-filled state for a training program; the fixture's own head takes the place of the target head. */
function filledState(net: Network, reference: ReferenceNet): Arrays {
  const state: Arrays = {};
  const rows = new Map(referenceNames(reference.net).map((row) => [row.name, row]));
  for (const tensor of networkTensors(net, false)) {
    const torchName = tensor.name.replace(`${targetHead}.`, `${net.backbone.head}.`);
    const values = fill(rows.get(torchName)!, reference, net.backbone.head);
    const arranged = toTf(tensor, values);
    state[tensor.name] = arranged === values ? values.slice() : arranged;
    if (tensor.kind !== 'running')
      state[slotName('momentum', tensor.name)] = new Float32Array(state[tensor.name].length);
  }
  return state;
}

interface StepRecord {
  loss: number;
  /** After the step, by the fixture's names, in PyTorch's layout. */
  tensors: Map<string, Float32Array>;
  /** SGD's velocity after the first step, likewise: gradient + weight decay · parameter. */
  velocity: Map<string, Float32Array>;
}

/** Runs optimizer steps of plain fine-tuning on an engine and reads the network after each but the last, which has a loss only. */
export async function trainSteps(
  engine: Engine,
  net: Network,
  reference: ReferenceNet,
  steps: number,
): Promise<StepRecord[]> {
  const program = trainingProgram(net, {
    batch,
    size,
    optimizer: optimizerOf({ name: 'sgd' }),
    headLearningRateMultiplier: 1,
  });
  const executable = await engine.compile(program);
  await executable.load(filledState(net, reference));
  const fed = { images: images(), labels: Int32Array.of(0, 1, 2, 3), learning_rate: Float32Array.of(0.01) };
  const records: StepRecord[] = [];
  for (let step = 0; step < steps; step++) {
    const outputs = await executable.run(fed);
    const record: StepRecord = { loss: outputs.loss[0], tensors: new Map(), velocity: new Map() };
    records.push(record);
    if (step === steps - 1) break;
    const tensors = networkTensors(net, false);
    const isFirst = step === 0;
    const state = await executable.read(isFirst ? undefined : tensors.map(({ name }) => name));
    for (const tensor of tensors) {
      const name = tensor.name.replace(`${targetHead}.`, `${net.backbone.head}.`);
      record.tensors.set(name, toTorch(tensor, state[tensor.name] as Float32Array));
      if (isFirst && tensor.kind !== 'running')
        record.velocity.set(name, toTorch(tensor, state[slotName('momentum', tensor.name)] as Float32Array));
    }
  }
  await executable.dispose();
  return records;
}

/** Logits in evaluation mode, row-major [batch, classes]. */
export async function evaluationLogits(
  engine: Engine,
  net: Network,
  reference: ReferenceNet,
): Promise<Float32Array> {
  const tensors = networkTensors(net, false);
  const state = filledState(net, reference);
  const constants = Object.fromEntries(tensors.map(({ name }) => [name, state[name]]));
  const executable = await engine.compile(
    {
      state: specsOf(tensors),
      batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
      step: (all, fed) => {
        const scope = evaluationScope(net, all);
        const features = net.backbone.forward(fed.images as tf.Tensor4D, scope);
        return { state: {}, outputs: { logits: classify(net, features, all, targetHead) } };
      },
    },
    { constants },
  );
  const { logits } = await executable.run({ images: images() });
  await executable.dispose();
  return logits as Float32Array;
}

/** Logits, loss and gradients by the fixture's names, in PyTorch's layout, of the case with windows that stick out. */
export async function ceilModeCase(engine: Engine, net: Network, reference: ReferenceNet) {
  const { input, labels } = reference.ceil_mode_case!;
  const [count, , height, width] = input.shape;
  const tensors = networkTensors(net, false).filter(({ kind }) => kind !== 'running');
  const executable = await engine.compile({
    state: specsOf(tensors),
    batch: { images: { shape: [count, height, width, 3], dtype: 'float32' } },
    step(state, fed) {
      const logitsOf = (all: Tensors) =>
        classify(
          net,
          net.backbone.forward(fed.images as tf.Tensor4D, evaluationScope(net, all)),
          all,
          targetHead,
        );
      const { value, grads } = tf.valueAndGrads((...given: tf.Tensor[]) =>
        crossEntropy(
          logitsOf(Object.fromEntries(tensors.map(({ name }, index) => [name, given[index]]))),
          tf.oneHot(tf.tensor1d(labels, 'int32'), classes, 1, 0, 'float32') as tf.Tensor2D,
        ),
      )(tensors.map(({ name }) => state[name]));
      const gradients = tensors.map(({ name }, index) => [`gradient/${name}`, grads[index]]);
      return {
        state: {},
        outputs: { loss: value, logits: logitsOf(state), ...Object.fromEntries(gradients) },
      };
    },
  });
  const state = filledState(net, reference);
  await executable.load(Object.fromEntries(tensors.map(({ name }) => [name, state[name]])));
  const { loss, logits, ...outputs } = await executable.run({ images: images(count, height * width) });
  await executable.dispose();
  const gradients = new Map(
    tensors.map((tensor) => [
      tensor.name.replace(`${targetHead}.`, `${net.backbone.head}.`),
      toTorch(tensor, outputs[`gradient/${tensor.name}`] as Float32Array),
    ]),
  );
  return { loss: loss[0], logits, gradients };
}

/** Activation maps against numbers made with PyTorch in float64 (`reference/inspection`, key `cam`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import {
  activation,
  convolution,
  type Description,
  flatten,
  globalPool,
  linear,
} from '../../src-main/backbones/description.ts';
import { toTf } from '../../src-main/backbones/layouts.ts';
import { openNetworkFile, readNetwork } from '../../src-main/backbones/network-file.ts';
import { placesOf } from '../../src-main/backbones/places.ts';
import { architectureNamed, architectureNames } from '../../src-main/backbones/registry.ts';
import { randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { keptView } from '../../src-main/trainer/open-view.ts';
import { classActivationMap, gradCam } from '../../src-main/transfer/activation-map.ts';
import type { Network } from '../../src-main/transfer/network.ts';
import { placeGradientsProgram, placesProgram } from '../../src-main/transfer/places-programs.ts';
import { heatOf } from '../../src-shared/heat.ts';
import { sourceModel } from '../contract/trainer-fixture.ts';
import recorded from '../fixtures/activation-maps.json' with { type: 'json' };

import { sharedPath } from '../shared-folder.ts';

type Nested = number | readonly Nested[];
const flat = (values: Nested): number[] => (typeof values === 'number' ? [values] : values.flatMap(flat));

const classes = 3;
const relu = activation('relu');
const describe = (...behind: Pick<Description, 'neck' | 'head'>[]): Description => ({
  batchNorm: { epsilon: 1e-5, momentum: 0.1 },
  stages: [
    [convolution('conv1', 4, { kernel: 3, bias: true }), relu],
    [convolution('conv2', 5, { kernel: 3, stride: 2, bias: true }), relu],
    [],
    [],
    [],
  ],
  ...behind[0],
});
const pooled = describe({ neck: [globalPool()], head: [linear('fc', 'classes')] });
const flattened = describe({ neck: [flatten(4)], head: [linear('flat', 'classes', 4)] });

let engine: Engine;
beforeAll(async () => {
  engine = await openReferenceEngine();
});
afterAll(() => engine.dispose());

/** Places, logits and gradients of every image and class, and the head's weights. */
async function lookInto(description: Description) {
  const backbone = buildBackbone(description, 'symmetric');
  const network: Network = {
    backbone,
    batchNormEpsilon: 1e-5,
    sourceClasses: classes,
    targetClasses: classes,
  };
  const places = placesOf(description, 'symmetric');
  const inputs = recorded.inputs as Record<string, Nested>;
  const weights: Arrays = Object.fromEntries(
    [...backbone.tensors, ...backbone.headTensors(backbone.head, classes)].map((tensor) => [
      tensor.name,
      toTf(tensor, Float32Array.from(flat(inputs[tensor.name]))),
    ]),
  );
  const constants = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, weights[name]]));
  const program = placesProgram(network, places, 8);
  const forward = await engine.compile(program, { constants: constants(program.state) });
  const rest = placeGradientsProgram(network, places, [1, 4, 4, 5]);
  const backward = await engine.compile(rest, { constants: constants(rest.state) });
  const images = recorded.inputs.x.map((image) =>
    Float32Array.from(
      { length: 8 * 8 * 3 },
      (_, i) => image[i % 3][Math.floor(i / 24)][Math.floor(i / 3) % 8],
    ),
  );
  const looked = [];
  for (const pixels of images) {
    const found = await forward.run({ images: pixels });
    const features = { values: found.places as Float32Array, rows: 4, columns: 4, channels: 5 };
    const gradients = [];
    for (let label = 0; label < classes; label++) {
      const chosen = Float32Array.from({ length: classes }, (_, k) => Number(k === label));
      gradients.push((await backward.run({ places: features.values, chosen })).gradients as Float32Array);
    }
    looked.push({ features, logits: found.logits, gradients });
  }
  return { looked, places, head: weights[`${backbone.head}.weight`] as Float32Array };
}

/** Float32 arithmetic over a hundred terms differs by some 1e-6 of the largest. */
const tolerance = 1e-5;

function agree(found: ArrayLike<number>, expected: Nested): void {
  const wanted = flat(expected);
  const largest = Math.max(...wanted.map(Math.abs));
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(found[i] - value) / largest).toBeLessThan(tolerance);
}

test('the map of a linear head on pooled features is that of its weights', async () => {
  const { looked, places, head } = await lookInto(pooled);
  expect(places.arePooledLinearly).toBe(true);
  for (const [n, { features, logits }] of looked.entries()) {
    agree(logits, recorded.logits[n]);
    for (let k = 0; k < classes; k++) agree(classActivationMap(features, head, k), recorded.cam[n][k]);
  }
});

test('Grad-CAM is that of gradients, and lies over a picture as heat from 0 to 1', async () => {
  const { looked } = await lookInto(pooled);
  for (const [n, { features, gradients }] of looked.entries())
    for (let k = 0; k < classes; k++) {
      const values = gradCam(features, gradients[k]);
      agree(values, recorded.grad_cam2_before_relu[n][k]);
      agree(heatOf({ rows: 4, columns: 4, values }, 8, 8), recorded.grad_cam2_overlay[n][k]);
    }
});

test('a head on flattened features has a Grad-CAM and no class activation map', async () => {
  const { looked, places } = await lookInto(flattened);
  expect(places.arePooledLinearly).toBe(false);
  for (const [n, { features, logits, gradients }] of looked.entries()) {
    agree(logits, recorded.flat_logits[n]);
    for (let k = 0; k < classes; k++)
      agree(gradCam(features, gradients[k]), recorded.flat_grad_cam2_before_relu[n][k]);
  }
});

test('every network has last places; those with hidden layers behind them, or tokens, are looked at by gradients', () => {
  const kinds = Object.fromEntries(
    architectureNames().map((name) => {
      const description = architectureNamed(name).describe({ width: 1 / 8 });
      const { arePooledLinearly, areTokens } = placesOf(description, 'symmetric');
      return [name, arePooledLinearly ? 'cam' : areTokens ? 'tokens' : 'gradients'];
    }),
  );
  expect(kinds).toMatchObject({
    resnet50: 'cam',
    mobilenet_v2: 'cam',
    efficientnet_b0: 'cam',
    densenet121: 'cam',
    mobilenet_v3_large: 'gradients',
    convnext_tiny: 'gradients',
    squeezenet1_1: 'gradients',
    vgg16: 'gradients',
    alexnet: 'gradients',
    vit_b_16: 'tokens',
  });
});

test('a map without anything for the class is cold everywhere', () => {
  expect([...heatOf({ rows: 1, columns: 2, values: [-1, -2] }, 4, 1)]).toEqual([0, 0, 0, 0]);
});

const trained = sharedPath('models/mobilenet_v2.imagenet1k.safetensors');
test.skipIf(trained === null)(
  'the places of a trained MobileNetV2 add up to its logits (needs shared/models)',
  async () => {
    const cpu = await openEngine('cpu');
    const view = await keptView(cpu, { network: trained!, size: 96 });
    const random = randomOf(1, 'pixels');
    const pixels = Float32Array.from({ length: 96 * 96 * 3 }, () => 2 * random() - 1);
    // Two classes: what softmax takes away, the same for both, falls out.
    const [one, other] = [await view.look(pixels, 281), await view.look(pixels, 7)];
    const file = openNetworkFile(trained!, 'mobilenet_v2', 'same');
    const bias = readNetwork(file, file.tensors)['classifier.1.bias'];
    const logit = ({ values, label }: typeof one) =>
      values.reduce((sum, value) => sum + value, 0) / values.length + bias[label];
    const said = Math.log(one.probabilities[281] / other.probabilities[7]);
    expect(one.how).toBe('cam');
    expect(logit(one) - logit(other)).toBeCloseTo(said, 4);
    await cpu.dispose();
  },
);

test('gradients by tokens come out of the compiled engine as tf.js takes them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cotune-view-'));
  const network = sourceModel(folder, 'vit_ti_16');
  const pixels = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));
  const cpu = await openEngine('cpu');
  const [found, expected] = await Promise.all(
    [cpu, engine].map(async (one) => (await keptView(one, { network, size: 32 })).look(pixels, 2)),
  );
  await cpu.dispose();
  rmSync(folder, { recursive: true });
  expect(found).toMatchObject({ how: 'grad-cam', rows: 2, columns: 2 });
  const largest = Math.max(...expected.values.map(Math.abs));
  expect(largest).toBeGreaterThan(0);
  // Two engines sum in different orders, through twelve layers.
  for (const [i, value] of found.values.entries())
    expect(Math.abs(value - expected.values[i]) / largest).toBeLessThan(1e-4);
});

import { expect, test } from 'vitest';
import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { torchvisionNaming } from '../../src-main/backbones/index.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import * as reference from './reference-backbone.ts';

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** Tolerances: float64 recordings leave float32 room for another summation order (each fixture's `float32`). */
async function agreesWithPyTorch(engine: Engine, net: string): Promise<void> {
  const expected = reference.referenceNet(net);
  const network = reference.referenceNetwork(net);

  const logits = await reference.evaluationLogits(engine, network, expected);
  const largest = Math.max(...expected.eval_logits.flat().map(Math.abs));
  for (const [index, want] of expected.eval_logits.flat().entries())
    expect(Math.abs(logits[index] - want) / largest, `eval logit ${index}`).toBeLessThan(1e-5);

  const [first, second, third] = await reference.trainSteps(engine, network, expected, 3);
  expect(Math.abs(first.loss - expected.loss)).toBeLessThan(1e-5);
  expect(Math.abs(second.loss / expected.loss_after_step1 - 1)).toBeLessThan(1e-4);
  expect(Math.abs(third.loss / expected.loss_after_step2 - 1)).toBeLessThan(1e-4);

  for (const [prefix, statistics] of Object.entries(expected.bn_after_one_training_forward))
    for (const leaf of ['running_mean', 'running_var'] as const)
      for (const [index, want] of statistics[leaf].first16.entries()) {
        const got = first.tensors.get(`${prefix}.${leaf}`)![index];
        // Larger values have fewer digits behind the point in float32.
        expect(Math.abs(got - want), `${prefix}.${leaf}[${index}]`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(want)),
        );
      }

  const rows = new Map(reference.referenceNames(net).map((row) => [row.name, row]));
  for (const [name, want] of Object.entries(expected.params)) {
    // The first velocity is gradient + weight decay · parameter: the gradient is what remains.
    const before = reference.fill(rows.get(name)!, expected, network.backbone.head);
    const gradient = first.velocity.get(name)!.map((value, index) => value - 5e-4 * before[index]);
    if (want.zero_grad) expect(norm(gradient), name).toBeLessThan(1e-6 * expected.global_grad_l2);
    else {
      expect(Math.abs(norm(gradient) / want.grad.l2 - 1), `${name}: gradient norm`).toBeLessThan(1e-3);
      for (const [index, value] of want.grad.first6.entries())
        expect(Math.abs(gradient[index] - value) / want.grad.max_abs, `${name}: gradient`).toBeLessThan(1e-3);
    }
    for (const [record, after] of [
      [first, want.after_step1],
      [second, want.after_step2],
    ] as const)
      for (const [index, value] of after.first6.entries())
        expect(Math.abs(record.tensors.get(name)![index] - value), `${name} after a step`).toBeLessThan(1e-5);
  }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

const nets = [
  'resnet18',
  'resnet50',
  'mobilenet_v2',
  'mobilenet_v3_small',
  'efficientnet_b0',
  'convnext_tiny',
  'vit',
  'densenet121',
  'vgg11_bn',
  'squeezenet1_1',
  'resnext50_32x4d',
];

test.each(nets)('%s has torchvision’s names, shapes and fill', (net) => {
  const expected = reference.referenceNet(net);
  const { backbone } = reference.referenceNetwork(net);
  const rows = reference.referenceNames(net);
  const described = [...backbone.tensors, ...sourceHead(backbone, 10)].map(({ name, shape }) => ({
    name,
    shape,
  }));
  expect(described.sort(byName)).toEqual(rows.map(({ name, shape }) => ({ name, shape })).sort(byName));
  for (const row of rows) {
    const last = reference.fill(row, expected, backbone.head).at(-1)!;
    expect(Math.abs(last - row.last)).toBeLessThan(1e-6 * Math.max(1, Math.abs(row.last)));
  }
});

// Op by op in JavaScript, which is slow: the smallest, and the networks with batch norm and depthwise convolutions on request.
test.for(['vit', 'mobilenet_v3_small', 'mobilenet_v2'])(
  '%s on the eager reference engine agrees with PyTorch',
  { timeout: 240_000 },
  async (net, context) => {
    if (net !== 'vit' && !process.env.COTUNE_TEST_LARGE)
      context.skip('takes up to minutes: COTUNE_TEST_LARGE=1 runs it');
    await agreesWithPyTorch(await openReferenceEngine(), net);
  },
);

test.for(nets)(
  '%s on the cpu engine agrees with PyTorch: logits, gradients, statistics and two optimizer steps',
  { timeout: 240_000 },
  async (net, context) => {
    if (net === 'vgg11_bn' && !process.env.COTUNE_TEST_LARGE)
      context.skip('takes 12 GB and minutes: COTUNE_TEST_LARGE=1 runs it');
    const engine = await openEngine('cpu');
    await agreesWithPyTorch(engine, net);
    await engine.dispose();
  },
);

test('squeezenet1_1 pools windows that stick out as PyTorch’s ceil_mode does: logits, loss and gradients', async () => {
  const expected = reference.referenceNet('squeezenet1_1');
  const engine = await openEngine('cpu');
  const { loss, logits, gradients } = await reference.ceilModeCase(
    engine,
    reference.referenceNetwork('squeezenet1_1'),
    expected,
  );
  await engine.dispose();
  const want = expected.ceil_mode_case!;
  const largest = Math.max(...want.logits.flat());
  for (const [index, value] of want.logits.flat().entries())
    expect(Math.abs(logits[index] - value) / largest).toBeLessThan(1e-5);
  expect(Math.abs(loss - want.loss)).toBeLessThan(1e-5);
  for (const [name, { l2, max_abs, first6 }] of Object.entries(want.grad)) {
    expect(Math.abs(norm(gradients.get(name)!) / l2 - 1), name).toBeLessThan(1e-3);
    for (const [index, value] of first6.entries())
      expect(Math.abs(gradients.get(name)![index] - value) / max_abs, name).toBeLessThan(1e-3);
  }
});

test('timm’s names of a vision transformer stand for torchvision’s', () => {
  const nameOf = torchvisionNaming('deit_small_patch16_224');
  for (const { name, torchvision } of reference.timmNamesOfVit()) expect(nameOf(name)).toBe(torchvision);
});

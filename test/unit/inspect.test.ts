import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sourceHead, type TensorDescription, vector } from '../../src-main/backbones/backbone.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { inspectModelFile } from '../../src-main/backbones/inspect.ts';
import { toMetadata } from '../../src-main/backbones/model-metadata.ts';
import { architectureNamed } from '../../src-main/backbones/registry.ts';
import { classList } from '../../src-main/formats/class-names/class-list.ts';
import type { ClassFile } from '../../src-main/formats/class-names/read-class-file.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { sharedPath } from '../shared-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The tensors of a network with three source classes. */
function tensorsOf(architecture: string, width = 1): TensorDescription[] {
  const backbone = createBackbone({ architecture, padding: 'symmetric', width });
  return [...backbone.tensors, ...sourceHead(backbone, 3)];
}

function write(
  name: string,
  tensors: TensorDescription[],
  metadata: Record<string, string> = {},
  values: (tensor: TensorDescription) => number = () => 0.5,
): string {
  const path = join(folder, `${name}.safetensors`);
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
  writeSafetensors(
    path,
    tensors.map((tensor) => [
      tensor.name,
      { shape: tensor.shape, values: new Float32Array(size(tensor.shape)).fill(values(tensor)) },
    ]),
    metadata,
  );
  return path;
}

const named = (...names: string[]): ClassFile => ({ path: 'names.txt', names, blanks: [], notes: [] });

const narrow = tensorsOf('mobilenet_v2', 0.1);

/** What is said of a network whose file names no source class. */
const unnamed = [expect.stringMatching(/^Nothing names its 3 source classes.*--classes/)];

test('a file without metadata is recognized by its tensors and gets the usual preprocessing', async () => {
  const facts = await inspectModelFile(write('bare', narrow));
  expect(facts).toMatchObject({
    architecture: 'mobilenet_v2',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    preprocessing: {
      inputSize: 224,
      resizeShorter: 256,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
    sourceClasses: ['class 0', 'class 1', 'class 2'],
    notes: unnamed,
    temperature: null,
    origin: 'bare.safetensors',
  });
});

test('metadata says everything, and what a person says wins over it', async () => {
  const path = write(
    'full',
    narrow,
    toMetadata({
      architecture: 'mobilenet_v2',
      padding: 'same',
      batchNormEpsilon: 1e-3,
      preprocessing: { inputSize: 64, resizeShorter: 70, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      classNames: ['ä', 'b', 'c'],
      temperature: 1.5,
      origin: 'here',
    }),
  );
  expect(await inspectModelFile(path)).toMatchObject({
    padding: 'same',
    batchNormEpsilon: 1e-3,
    preprocessing: { inputSize: 64, resizeShorter: 70, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    sourceClasses: ['ä', 'b', 'c'],
    temperature: 1.5,
    origin: 'here',
  });
  const overrides = {
    padding: 'symmetric',
    preprocessing: { inputSize: 96 },
    classes: named('x', 'y', 'z'),
  } as const;
  expect(await inspectModelFile(path, overrides)).toMatchObject({
    padding: 'symmetric',
    preprocessing: { inputSize: 96, resizeShorter: 70 },
    sourceClasses: ['x', 'y', 'z'],
  });
});

/** Tensors under the names of an architecture's dialect number `number`. */
function renamed(architecture: string, number: number, tensors: TensorDescription[]): TensorDescription[] {
  const { names } = architectureNamed(architecture).dialects!()[number];
  const theirs = new Map([...names].map(([their, torchvision]) => [torchvision, their]));
  return tensors.map((tensor) => {
    const dot = tensor.name.lastIndexOf('.');
    return { ...tensor, name: theirs.get(tensor.name.slice(0, dot)) + tensor.name.slice(dot) };
  });
}

test('timm’s names of MobileNetV2 are accepted', async () => {
  const timm = renamed('mobilenet_v2', 0, narrow);
  expect(timm.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'conv_stem.weight',
      'bn1.running_var',
      'blocks.0.0.conv_pw.weight',
      'blocks.1.1.conv_pwl.weight',
      'blocks.6.0.bn3.bias',
      'conv_head.weight',
      'classifier.bias',
    ]),
  );
  expect(await inspectModelFile(write('timm', timm))).toMatchObject({
    architecture: 'mobilenet_v2',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    notes: unnamed,
  });
});

test('what another library computes otherwise goes with its names', async () => {
  const google = write('google', renamed('mobilenet_v2', 1, narrow));
  const tensorflows = { padding: 'same', batchNormEpsilon: 1e-3, notes: unnamed };
  expect(await inspectModelFile(google)).toMatchObject(tensorflows);
  // What a person says about it wins.
  expect(await inspectModelFile(google, { padding: 'symmetric' })).toMatchObject({ padding: 'symmetric' });

  const small = tensorsOf('mobilenet_v3_small');
  expect(await inspectModelFile(write('v3', small))).toMatchObject({
    batchNormEpsilon: 1e-3,
    notes: unnamed,
  });
  const timm = renamed('mobilenet_v3_small', 0, small);
  const plain = write('timm-v3', timm);
  expect(await inspectModelFile(plain)).toMatchObject({
    architecture: 'mobilenet_v3_small',
    padding: 'symmetric',
    batchNormEpsilon: 1e-5,
    notes: [expect.stringContaining('--architecture tf_mobilenetv3_small_100'), ...unnamed],
  });
  for (const [path, architecture] of [
    [plain, 'tf_mobilenetv3_small_100'],
    [write('said', timm, { architecture: 'tf_mobilenetv3_small_100' }), undefined],
  ] as const)
    expect(await inspectModelFile(path, { architecture })).toMatchObject({
      architecture: 'mobilenet_v3_small',
      ...tensorflows,
    });
  expect(await inspectModelFile(write('tf_mobilenetv3_small_100-37f49e2b', timm))).toMatchObject({
    padding: 'same',
    batchNormEpsilon: 1e-3,
    notes: [expect.stringContaining('as the file is called'), ...unnamed],
  });
  expect(await inspectModelFile(plain, { architecture: 'mobilenetv3_small_100' })).toMatchObject({
    padding: 'symmetric',
    notes: unnamed,
  });
});

test('what is missing, misshapen and unexpected is listed', async () => {
  const changed = narrow
    .filter(({ name }) => name !== 'features.18.1.bias')
    .map((tensor) => (tensor.name === 'features.0.1.weight' ? { ...tensor, shape: [9] } : tensor));
  const path = write('changed', [...changed, vector('extra.weight', 2)]);
  await expect(inspectModelFile(path)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('The nearest is mobilenet_v2, from which it differs: 1 tensor missing'),
    hint: expect.stringContaining('--dry-run'),
  });
  const failure = inspectModelFile(path, { architecture: 'mobilenet_v2' });
  await expect(failure).rejects.toThrow('1 tensor missing (features.18.1.bias)');
  await expect(failure).rejects.toThrow('1 tensor of another shape (features.0.1.weight [9] instead of [8])');
  await expect(failure).rejects.toThrow('1 tensor not part of it (extra.weight)');
});

test('class names of the wrong number, and metadata that makes no sense, are refused', async () => {
  await expect(inspectModelFile(write('names', narrow), { classes: named('a', 'b') })).rejects.toThrow(
    'names.txt has 2 class names, and the head of',
  );
  for (const [key, value] of Object.entries({
    architecture: 'inception',
    bn_eps: '0',
    mean: '0.5,0.5',
    std: '1,0,1',
    input_size: '22.5',
    padding: 'valid',
    temperature: 'warm',
    class_names: '{}',
  }))
    await expect(inspectModelFile(write(`bad-${key}`, narrow, { [key]: value }))).rejects.toThrow(
      `has ${key} "${value}"`,
    );
});

test('weights that are not finite, and negative variances, are refused before they cost a training', async () => {
  const nan = write('nan', narrow, {}, ({ name }) => (name === 'classifier.1.bias' ? Number.NaN : 1));
  await expect(inspectModelFile(nan)).rejects.toThrow('"classifier.1.bias" has the value NaN at index 0');
  const negative = write('negative', narrow, {}, ({ kind }) => (kind === 'running' ? -1 : 1));
  await expect(inspectModelFile(negative)).rejects.toThrow(/running_var" has the value -1/);
});

test('the published ImageNet MobileNetV2 is read with its names and its padding', async (context) => {
  const path = sharedPath('models/mobilenet_v2.imagenet1k.safetensors');
  if (!path) return context.skip('needs ../shared/models');
  const facts = await inspectModelFile(path, { classes: classList('imagenet-1k') });
  expect(facts).toMatchObject({
    architecture: 'mobilenet_v2',
    padding: 'same',
    parameters: 3_504_872,
    preprocessing: { inputSize: 224, resizeShorter: 256, mean: [0.5, 0.5, 0.5] },
  });
  expect(facts.sourceClasses[0]).toBe('tench, Tinca tinca');
});

import { expect, test } from 'vitest';
import { normalizationOf, viewCrop } from '../../src-main/data/crops.ts';
import { centerCrop } from '../../src-main/data/evaluations/center-crop.ts';
import { resample } from '../../src-main/data/resample.ts';
import { resizedBy, resizeOf, resizes } from '../../src-main/data/resizes/index.ts';
import { relationshipKey, sourceLogitsKey } from '../../src-main/trainer/content-keys.ts';
import { contractMetadata, contractReadme } from '../../src-main/trainer/export-contract.ts';
import { testPictures } from '../../src-main/trainer/test-vectors.ts';
import type { Preprocessing } from '../../src-shared/domain.ts';
import reference from '../fixtures/data/torchvision-resize-modes.json' with { type: 'json' };

const { size, shorter } = reference;
const imagenet: Preprocessing = {
  inputSize: size,
  resizeShorter: shorter,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const asBytes = normalizationOf({ ...imagenet, mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] });

function pattern(width: number, height: number) {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[at++] = (x * 37 + y * 61 + c * 83 + ((x * y) % 23) * 7) % 256;
  return { width, height, originalWidth: width, originalHeight: height, data };
}

test.each(reference.cases)(
  'evaluation by `$resize` sees what torchvision makes of $width × $height',
  ({ resize: name, width, height, pixels }) => {
    const resize = resizeOf({ resize: name });
    const stored = pattern(width, height);
    const image = resize.shape?.(stored, imagenet) ?? stored;
    const out = new Float32Array(size * size * 3);
    const resized = resize.evaluated(image, size, imagenet);
    resample(image, viewCrop(image, size, resized, centerCrop.views[0]), asBytes, out);
    // Pillow rounds to whole numbers after each of its two passes: at most 1 away.
    expect(Math.max(...out.map((value, i) => Math.abs(value - pixels[i])))).toBeLessThanOrEqual(1.01);
  },
);

test('what follows from predictions has another key for every way to resize; `crop` keeps the key from before there were others', () => {
  const model = { hash: 'h', architecture: 'a', padding: 'same', temperature: null } as const;
  const engine = { name: 'cpu', device: '', versions: {} } as const;
  const keysOf = (name: string) => {
    const resized = { ...model, preprocessing: resizedBy(imagenet, name) } as never;
    const origin = { approach: 'direct', model: resized, engine: 'cpu', precision: 'full' } as const;
    const images = { samples: { train: [], val: [], test: [] }, targetClasses: [], sourceClasses: [] };
    return [
      sourceLogitsKey('image', { model: resized, engine, precision: 'full' }),
      relationshipKey({ ...origin, ...images }),
    ];
  };
  expect(new Set(resizes.flatMap(({ name }) => keysOf(name))).size).toBe(2 * resizes.length);
  expect(resizedBy({ ...imagenet, resize: 'squash' }, 'crop')).toEqual(imagenet);
});

test.each([
  ['crop', 'shorter side resized to 14 px', 'scale = 14 / min(image.size)'],
  ['squash', 'both sides resized to 14 px', 'image.resize((14, 14)'],
  ['letterbox', 'padded to a square with the mean color', "Image.new('RGB', (side, side), (124, 116, 104))"],
])('an export of a network trained with `%s` says so', (name, words, python) => {
  const facts = {
    architecture: 'a',
    padding: 'same',
    batchNormEpsilon: 1e-5,
    temperature: null,
    origin: 'test',
    classNames: ['x', 'y'],
    preprocessing: resizedBy(imagenet, name),
  } as const;
  const vectors = new Float32Array(testPictures.length * 2);
  const metadata = contractMetadata({ ...facts, classNames: [...facts.classNames] }, vectors);
  expect(metadata.input_geometry).toContain(words);
  expect(metadata.resize).toBe(name === 'crop' ? undefined : name);
  const page = contractReadme('x.onnx', { ...facts, classNames: [...facts.classNames] }, vectors);
  expect(page).toContain(words);
  expect(page).toContain(python);
});

/** A real but tiny network with random weights: what it learns does not matter, that everything runs on it does. */

import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { toMetadata } from '../../src-main/backbones/model-metadata.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { noise } from './fake-data.ts';

const sourceClasses = Array.from({ length: 12 }, (_, index) => `source ${String.fromCharCode(65 + index)}`);

/** Writes a ResNet-18 of a sixteenth of the width for 32 px images, with its metadata, to `path`. */
export function writeTinyNetwork(path: string): void {
  const backbone = createBackbone({ architecture: 'resnet18', padding: 'symmetric', width: 1 / 16 });
  const tensors = [...backbone.tensors, ...sourceHead(backbone, sourceClasses.length)];
  writeSafetensors(
    path,
    tensors.map(({ name, kind, shape }, tensor) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      const fanIn = Math.max(1, size / shape[0]);
      const one = name.endsWith('running_var') || (kind === 'vector' && name.endsWith('.weight'));
      const values = Float32Array.from({ length: size }, (_, index) =>
        kind === 'vector' || kind === 'running'
          ? Number(one)
          : (noise(tensor, index) - 0.5) * Math.sqrt(24 / fanIn),
      );
      return [name, { shape, values }];
    }),
    toMetadata({
      architecture: 'resnet18',
      padding: 'symmetric',
      batchNormEpsilon: 1e-5,
      preprocessing: { inputSize: 32, resizeShorter: 36, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      temperature: 1.5,
      classNames: sourceClasses,
      origin: 'made for a test',
    }),
  );
}

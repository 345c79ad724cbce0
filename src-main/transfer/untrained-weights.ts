import type { TensorDescription } from '../backbones/backbone.ts';
import { tfShape } from '../backbones/layouts.ts';
import type { Arrays } from '../engine/engine.ts';

/**
 * Random weights of an untrained backbone in tf.js layouts: convolutions and matrices normal with deviation √(2 / fan-out)
 * (He et al., «Delving Deep into Rectifiers», ICCV 2015, equation 14), a depthwise filter's fan-out being its own places,
 * normalizations the identity, biases and tokens zero; positions of tokens normal with deviation 0.02, factors on residual
 * branches 1e-6, as in torchvision. `normalsOf` gives the stream of standard normal numbers of a tensor; with `deviation` all that is normal has that one.
 */
export function untrainedWeights(
  tensors: readonly TensorDescription[],
  normalsOf: (tensor: string) => () => number,
  deviation?: number,
): Arrays {
  return Object.fromEntries(
    tensors.map((tensor) => {
      const values = new Float32Array(tfShape(tensor).reduce((product, extent) => product * extent, 1));
      const usual = deviationOf(tensor);
      if (usual === 0) return [tensor.name, values.fill(constantOf(tensor.name))];
      const normal = normalsOf(tensor.name);
      return [tensor.name, values.map(() => normal() * (deviation ?? usual))];
    }),
  );
}

function deviationOf({ name, kind, shape: [out, , height = 1, width = 1] }: TensorDescription): number {
  if (name.endsWith('pos_embedding')) return 0.02;
  if (kind === 'vector' || kind === 'running') return 0;
  return Math.sqrt(2 / (height * width * (kind === 'depthwise' ? 1 : out)));
}

function constantOf(name: string): number {
  if (name.endsWith('layer_scale')) return 1e-6;
  return /(weight|running_var)$/.test(name) ? 1 : 0;
}

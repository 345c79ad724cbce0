import type { TensorDescription } from '../backbones/backbone.ts';
import { tfShape } from '../backbones/layouts.ts';
import type { Arrays } from '../engine/engine.ts';
import { dice } from './dice.ts';

/**
 * Random weights of an untrained backbone in tf.js layouts: convolutions normal with deviation √(2 / fan-out)
 * (He et al., «Delving Deep into Rectifiers», ICCV 2015), batch norm the identity.
 */
export function initialWeights(tensors: readonly TensorDescription[], seed: number): Arrays {
  return Object.fromEntries(
    tensors.map((tensor) => {
      const throws = dice('weights', seed, tensor.name);
      const size = tfShape(tensor).reduce((product, extent) => product * extent, 1);
      const [out, , height, width] = tensor.shape;
      const fan = height * width * (tensor.kind === 'depthwise' ? 1 : out);
      const values =
        tensor.kind === 'vector' || tensor.kind === 'running'
          ? new Float32Array(size).fill(/(weight|running_var)$/.test(tensor.name) ? 1 : 0)
          : Float32Array.from({ length: size }, () => throws.normal(Math.sqrt(2 / fan)));
      return [tensor.name, values];
    }),
  );
}

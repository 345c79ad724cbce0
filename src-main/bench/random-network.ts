import { sourceHead, type TensorDescription } from '../backbones/backbone.ts';
import { createBackbone } from '../backbones/index.ts';
import { tfShape } from '../backbones/layouts.ts';
import { randomOf } from '../data/random.ts';
import type { Arrays } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';

/** Classes of either head, as ImageNet has them. */
export const benchClasses = 1000;

/** A network of that architecture as it is published, in width and padding. */
export const plainNetwork = (architecture: string): Network => {
  const backbone = createBackbone({ architecture, padding: 'symmetric', width: 1 });
  const { epsilon } = backbone.batchNorm;
  return {
    backbone,
    batchNormEpsilon: epsilon,
    sourceClasses: benchClasses,
    targetClasses: benchClasses,
  };
};

/**
 * The same random weights at every call for the backbone and its source head, in tf.js layouts: kernels and linear
 * weights uniform with deviation √(2 / fan-in) (He et al., «Delving Deep into Rectifiers», ICCV 2015), batch norm the
 * identity, biases zero.
 */
export function randomWeights({ backbone, sourceClasses }: Network): Arrays {
  const tensors = [...backbone.tensors, ...sourceHead(backbone, sourceClasses)];
  return Object.fromEntries(tensors.map((tensor, index) => [tensor.name, valuesOf(tensor, index)]));
}

function valuesOf(tensor: TensorDescription, index: number): Float32Array {
  const { name, kind, shape } = tensor;
  const values = new Float32Array(tfShape(tensor).reduce((a, b) => a * b, 1));
  if (kind === 'running') return values.fill(name.endsWith('running_var') ? 1 : 0);
  if (kind === 'vector') return values.fill(name.endsWith('bias') ? 0 : 1);
  const random = randomOf(index, 'bench weights');
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  const bound = Math.sqrt(6 / fanIn);
  for (let index = 0; index < values.length; index++) values[index] = (2 * random() - 1) * bound;
  return values;
}

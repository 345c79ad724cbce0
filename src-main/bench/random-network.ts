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
  // Drawn once, shifted from tensor to tensor: what drawing tens of millions of numbers leaves to the garbage collector is no step's memory.
  const random = randomOf(0, 'bench weights');
  const drawn = Float32Array.from({ length: 2 ** 20 }, () => 2 * random() - 1);
  return Object.fromEntries(
    tensors.map((tensor, index) => [tensor.name, valuesOf(tensor, drawn, index * shift)]),
  );
}

/** Numbers by which the weights of one tensor begin after those of the one before. */
const shift = 7919;

/** With weights from `drawn`, uniform from −1 to 1, beginning at one of them. */
function valuesOf(tensor: TensorDescription, drawn: Float32Array, from: number): Float32Array {
  const { name, kind, shape } = tensor;
  const values = new Float32Array(tfShape(tensor).reduce((a, b) => a * b, 1));
  if (kind === 'running') return values.fill(name.endsWith('running_var') ? 1 : 0);
  if (kind === 'vector') return values.fill(name.endsWith('bias') ? 0 : 1);
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  const bound = Math.sqrt(6 / fanIn);
  for (let at = 0; at < values.length; at++) values[at] = drawn[(from + at) % drawn.length] * bound;
  return values;
}

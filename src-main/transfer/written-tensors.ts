import type { TensorDescription } from '../backbones/backbone.ts';
import { toTorch } from '../backbones/layouts.ts';
import type { Arrays } from '../engine/engine.ts';
import { targetHead } from './network.ts';

/** Tensors of a network as they are written, in PyTorch's layouts, the target head's under the name that a `head` has there. */
export const writtenTensors = (
  tensors: readonly TensorDescription[],
  weights: Arrays,
  head: string,
): [name: string, tensor: { shape: number[]; values: Float32Array }][] =>
  tensors.map((tensor) => [
    tensor.name.startsWith(`${targetHead}.`) ? head + tensor.name.slice(targetHead.length) : tensor.name,
    { shape: tensor.shape, values: toTorch(tensor, weights[tensor.name] as Float32Array) },
  ]);

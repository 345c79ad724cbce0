import type { Arrays, Program } from './engine.ts';
import { multiplyAddsOf } from './trace/multiply-adds.ts';
import { trace } from './trace/trace.ts';

/**
 * Floating-point operations of one run of a program, counted from its trace: two for every multiply-add of
 * convolutions, depthwise convolutions, the gradients of both and matrix products, where padding counts like pixels.
 * Element-wise kernels, reductions and pooling are not counted, as is usual: ResNet-50 at 224² comes to the 4.09 billion
 * multiply-adds that torchvision states.
 */
export function countFlops(program: Program, constants: Arrays = {}): number {
  const { nodes } = trace(program, constants);
  return nodes.reduce((sum, node) => sum + 2 * multiplyAddsOf(node), 0);
}

/** Which state of a program lies in blocks. */
import type { InputValue, Node, Trace, Value } from '../trace/ir.ts';
import { type FilterLayout, isInBlocks, layoutOfGradient } from './filters.ts';

/**
 * Layouts of state that is a filter, or is combined with one element by element: its momentum. Filters whose channels do
 * not fill whole blocks stay as tf.js has them.
 */
export function stateLayouts({ inputs, nodes }: Trace, block: number): Map<InputValue, FilterLayout> {
  const layouts = new Map<InputValue, FilterLayout>();
  for (const { kernel, inputs: taken } of nodes) {
    const { filter } = taken;
    if (kernel !== 'Conv2D' || filter.kind !== 'input' || filter.role !== 'state') continue;
    const layout = layoutOfGradient(filter.shape, block);
    if (isInBlocks(layout)) layouts.set(filter, layout);
  }
  const neighbors = elementwiseNeighbors(nodes);
  for (const [filter, layout] of [...layouts]) {
    const reached = new Set<Value>([filter]);
    for (const value of reached) for (const next of neighbors.get(value) ?? []) reached.add(next);
    for (const input of inputs) if (input.role === 'state' && reached.has(input)) layouts.set(input, layout);
  }
  return layouts;
}

const elementwise = new Set(['Add', 'Sub', 'Multiply']);

/** What rank-4 values are combined with, or made of, element by element. */
function elementwiseNeighbors(nodes: readonly Node[]): Map<Value, Value[]> {
  const neighbors = new Map<Value, Value[]>();
  for (const { kernel, inputs, outputs } of nodes) {
    const [made] = outputs;
    if (!elementwise.has(kernel) || made.shape.length !== 4) continue;
    const alike = [...Object.values(inputs), made].filter(({ shape }) => shape.join() === made.shape.join());
    for (const value of alike) neighbors.set(value, [...(neighbors.get(value) ?? []), ...alike]);
  }
  return neighbors;
}

import type { Node, Trace } from '../trace/ir.ts';

/**
 * The nodes of the forward pass: what the program's outputs follow from, the loss among them. What they leave out makes
 * the new state: gradients and updates.
 */
export function forwardNodes(trace: Trace): Set<Node> {
  const found = new Set<Node>();
  const pending = [...trace.outputs.values()];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (value.kind !== 'result' || found.has(value.node)) continue;
    found.add(value.node);
    pending.push(...Object.values(value.node.inputs));
  }
  return found;
}

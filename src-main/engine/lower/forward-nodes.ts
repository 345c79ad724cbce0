/** The forward pass and the rest of a step, for passes over its trace that save memory between the two. */
import type { Node, Trace, Value } from '../trace/ir.ts';

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

/** The values that the rest of the step takes. */
export const takenLater = ({ nodes }: Trace, forward: ReadonlySet<Node>): Set<Value> =>
  new Set(nodes.filter((node) => !forward.has(node)).flatMap(({ inputs }) => Object.values(inputs)));

/** The node with other values for its inputs; its outputs stay its own. */
export const withInputs = (node: Node, change: (value: Value) => Value): Node => ({
  ...node,
  inputs: Object.fromEntries(Object.entries(node.inputs).map(([name, value]) => [name, change(value)])),
});

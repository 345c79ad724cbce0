/** What passes over a trace ask of it: the forward pass and the rest of a step, and who uses a value. */
import type { Node, Trace, Value } from '../trace/ir.ts';

/**
 * The nodes of the forward pass: what the program's outputs follow from, the loss among them. What they leave out makes
 * the new state: gradients and updates.
 */
export const forwardNodes = (trace: Trace): Set<Node> => nodesFor(trace, [...trace.outputs.values()]);

/** The nodes that anything which a program hands out follows from. */
export const liveNodes = (trace: Trace): Set<Node> =>
  nodesFor(
    trace,
    [trace.state, trace.outputs, trace.diagnosis].flatMap((values) => [...values.values()]),
  );

function nodesFor(trace: Trace, results: readonly Value[]): Set<Node> {
  const makers = new Map<Value, Node>(
    trace.nodes.flatMap((node) => node.outputs.map((made) => [made, node])),
  );
  const found = new Set<Node>();
  const pending = [...results];
  for (let value = pending.pop(); value; value = pending.pop()) {
    const maker = makers.get(value);
    if (!maker || found.has(maker)) continue;
    found.add(maker);
    pending.push(...Object.values(maker.inputs));
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

/** How many kernels and results of the program take a value. */
export function usesOf(trace: Trace): Map<Value, number> {
  const uses = new Map<Value, number>();
  const inputs = trace.nodes.flatMap((node) => Object.values(node.inputs));
  const results = [trace.state, trace.outputs, trace.diagnosis].flatMap((values) => [...values.values()]);
  for (const value of [...inputs, ...results]) uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}

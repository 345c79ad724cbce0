import { type Node, type ResultValue, sizeOf, type Trace, type Value } from '../trace/ir.ts';
import { forwardNodes } from './forward-nodes.ts';

/** Attribute of an activation that is made a second time: the runtime must not find the two equal. */
export const again = 'again';

const activations = new Set(['Relu', 'Relu6']);

/**
 * Activations of maps per channel (batch norm's) are made again where the gradient needs them, from what it needs anyway,
 * instead of being kept from the forward pass until then: one more pass over them, for memory.
 */
export function recomputeActivations(trace: Trace): Trace {
  const forward = forwardNodes(trace);
  const copies = new Map<Value, ResultValue>();
  const nodes: Node[] = [];
  const later = (value: Value): Value => {
    if (value.kind !== 'result' || !forward.has(value.node) || !isCheap(value.node)) return value;
    const known = copies.get(value);
    if (known) return known;
    const outputs: ResultValue[] = [];
    const copy: Node = { ...value.node, attrs: { ...value.node.attrs, [again]: true }, outputs };
    outputs.push({ ...value, node: copy });
    nodes.push(copy);
    copies.set(value, outputs[0]);
    return outputs[0];
  };
  for (const node of trace.nodes) {
    if (forward.has(node)) nodes.push(node);
    else {
      const inputs = Object.entries(node.inputs).map(([name, value]) => [name, later(value)]);
      nodes.push({ ...node, inputs: Object.fromEntries(inputs) });
    }
  }
  return { ...trace, nodes };
}

/** An activation of an image times or plus one number per channel. */
function isCheap({ kernel, inputs: { x } }: Node): boolean {
  if (!activations.has(kernel) || x.shape.length !== 4 || x.kind !== 'result') return false;
  const { kernel: map, inputs } = x.node;
  const sizes = Object.values(inputs).map(({ shape }) => sizeOf(shape));
  return (map === 'Add' || map === 'Multiply') && Math.min(...sizes) <= x.shape[3];
}

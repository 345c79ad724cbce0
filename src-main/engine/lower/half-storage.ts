import { type Node, type ResultValue, sizeOf, type Trace, type Value } from '../trace/ir.ts';
import { forwardNodes, takenLater, withInputs } from './forward-nodes.ts';
import type { Rule } from './lowering.ts';
import { onnxTypes } from './onnx-graph.ts';

/** A kernel of this pass alone: one value, rounded to half precision, as two: for now, and for later. */
const keepHalf = 'KeepHalf';

/**
 * Half-precision storage: images of the forward pass that the rest of the step uses as well are kept as float16 until
 * then. Forward is what the program's outputs follow from, so that a program whose outputs hold gradients keeps nothing.
 * The forward pass goes on from the rounded values too: the gradient is that of the function that was computed. All
 * arithmetic, parameters and gradients stay float32, so that no loss scaling is needed.
 */
export function storeHalves(trace: Trace): Trace {
  const forward = forwardNodes(trace);
  const taken = takenLater(trace, forward);
  const isKept = (value: Value) => taken.has(value) && value.dtype === 'float32' && value.shape.length === 4;
  const now = new Map<Value, Value>();
  const later = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const node of trace.nodes) {
    const known = forward.has(node) ? now : later;
    nodes.push(withInputs(node, (value) => known.get(value) ?? value));
    for (const value of forward.has(node) ? node.outputs : []) {
      if (!isKept(value)) continue;
      const keeping = keepingNode(value);
      nodes.push(keeping);
      now.set(value, keeping.outputs[0]);
      later.set(value, keeping.outputs[1]);
    }
  }
  const seen = (values: ReadonlyMap<string, Value>) =>
    new Map([...values].map(([name, value]) => [name, now.get(value) ?? value]));
  return {
    ...trace,
    nodes,
    state: seen(trace.state),
    outputs: seen(trace.outputs),
    diagnosis: seen(trace.diagnosis),
  };
}

function keepingNode(x: ResultValue): Node {
  const outputs: ResultValue[] = [];
  const node: Node = { kernel: keepHalf, inputs: { x }, attrs: {}, outputs };
  for (let copy = 0; copy < 2; copy++) outputs.push({ ...x, node });
  return node;
}

/**
 * The two copies are restored by different nodes, or ONNX Runtime would merge them into one that lives from the forward
 * pass to the gradient, in float32.
 */
const rule: Rule = ({ inputs: { x }, outputs: [now, later] }, lowering) => {
  const layout = lowering.layoutOf(x);
  const half = lowering.op('Cast', [lowering.use(x, layout)], { to: onnxTypes.float16 });
  const restored = (name: string) => lowering.op('Cast', [name], { to: onnxTypes.float32 });
  lowering.define(now, restored(half), layout);
  const flat = lowering.reshape(half, [sizeOf(x.shape)]);
  lowering.define(later, lowering.reshape(restored(flat), lowering.shapeIn(x, layout)), layout);
};

export const halfStorageRules: Record<string, Rule> = { [keepHalf]: rule };

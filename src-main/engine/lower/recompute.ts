import { type Node, type ResultValue, sizeOf, type Trace, type Value } from '../trace/ir.ts';
import { multiplyAddsOf } from '../trace/multiply-adds.ts';
import { forwardNodes, takenLater, withInputs } from './forward-nodes.ts';

/** Attribute of a node that is made a second time: the runtime must not find the two equal. */
export const again = 'again';

const activations = new Set(['Relu', 'Relu6']);

/** Multiply-adds for every element of an image from which on they outweigh the pass that makes it again. */
const heavy = 64;

/**
 * Activations are made again where the gradient needs them, instead of being kept from the forward pass until then, where one
 * pass makes them of what the gradient needs anyway: of a map per channel (batch norm's), or of a sum with another image
 * (a residual block's) that is kept or was itself made again. So is what goes into a sigmoid, whose gradient is not read off its result.
 * Those that only filters' gradients with little work take, a depthwise convolution's above all, are kept: there the pass is a large
 * part of the time.
 */
export function recomputeActivations(trace: Trace): Trace {
  const forward = forwardNodes(trace);
  const isCheap = cheapValues(trace, forward);
  const kept = takenLightly(trace, forward);
  const gated = new Set(
    trace.nodes.flatMap((node) => (node.kernel === 'Sigmoid' ? Object.values(node.inputs) : [])),
  );
  const copies = new Map<Value, ResultValue>();
  const nodes: Node[] = [];
  const remade = (value: Value): Value => {
    if (kept.has(value) || !isCheap(value)) return value;
    const known = copies.get(value);
    if (known) return known;
    const { node } = value;
    const outputs: ResultValue[] = [];
    const attrs = { ...node.attrs, [again]: true };
    const copy: Node = { ...withInputs(node, remade), attrs, outputs };
    outputs.push({ ...value, node: copy });
    nodes.push(copy);
    copies.set(value, outputs[0]);
    return outputs[0];
  };
  const later = (value: Value) =>
    copies.get(value) ??
    (value.kind === 'result' && (activations.has(value.node.kernel) || gated.has(value))
      ? remade(value)
      : value);
  for (const node of trace.nodes) nodes.push(forward.has(node) ? node : withInputs(node, later));
  return { ...trace, nodes };
}

/** What the rest of a step takes into convolutions' gradients with little work for each of its elements. */
function takenLightly({ nodes }: Trace, forward: ReadonlySet<Node>): Set<Value> {
  const work = new Map<Value, number>();
  for (const node of nodes) {
    const count = forward.has(node) ? 0 : multiplyAddsOf(node);
    if (count === 0) continue;
    for (const value of Object.values(node.inputs)) work.set(value, (work.get(value) ?? 0) + count);
  }
  return new Set(
    [...work].filter(([{ shape }, count]) => count < heavy * sizeOf(shape)).map(([value]) => value),
  );
}

/**
 * Images of the forward pass that take a pass to be made of images that are there anyway, as the program's input or because
 * the rest of the step uses them: maps per channel, sums of two and activations.
 */
function cheapValues(trace: Trace, forward: ReadonlySet<Node>): (value: Value) => value is ResultValue {
  const taken = takenLater(trace, forward);
  const known = new Map<Value, boolean>();
  const follows = ({ kernel, inputs, outputs: [made] }: Node): boolean => {
    if (made.shape.length !== 4) return false;
    const images = Object.values(inputs).filter(({ shape }) => sizeOf(shape) > made.shape[3]);
    const isMap = kernel === 'Add' || (kernel === 'Multiply' && images.length === 1);
    return (
      (isMap || activations.has(kernel)) &&
      images.every((image) => image.kind === 'input' || taken.has(image) || isCheap(image))
    );
  };
  const isCheap = (value: Value): value is ResultValue => {
    const cheap =
      known.get(value) ?? (value.kind === 'result' && forward.has(value.node) && follows(value.node));
    known.set(value, cheap);
    return cheap;
  };
  return isCheap;
}

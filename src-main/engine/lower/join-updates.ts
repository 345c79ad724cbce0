/**
 * The updates of small vectors, made as one. A deep network has hundreds of them, of a few kernels each: batch norm's scales and
 * offsets, what an optimizer keeps of them, running statistics. Opening a step takes its time for every node.
 */
import { type Node, type ResultValue, sizeOf, type Trace, type Value } from '../trace/ir.ts';
import { elementwiseRules } from './elementwise.ts';
import { liveNodes } from './forward-nodes.ts';

/** Elements up to which a tensor is small: that it waits for others costs nothing. */
const small = 2 ** 14;

/**
 * The trace with next values of vectors that come about in the same way made from all those vectors one after the other. Left as it
 * is where nothing but the update takes a gradient: that would wait for the others, and with it the image that it is a sum of.
 */
export function joinUpdates(trace: Trace): Trace {
  const updates = new Updates(trace);
  const groups = updates.alike();
  if (groups.length === 0) return trace;
  const at = new Map(trace.nodes.map((node, index) => [node, index]));
  const state = new Map(trace.state);
  const behind = new Map<number, Node[]>();
  for (const lanes of groups) {
    const joined = new Joined(updates.steps);
    for (const index of lanes[0].keys()) {
      const parts = joined.parts(lanes.map((names) => trace.state.get(names[index]) as ResultValue));
      for (const [lane, names] of lanes.entries()) state.set(names[index], parts[lane]);
    }
    // What stands last in a graph is made first. These are to come after the gradients of everything else, not before them.
    const place = Math.max(-1, ...joined.takes.map((node) => at.get(node)!));
    behind.set(place, [...(behind.get(place) ?? []), ...joined.nodes]);
  }
  const placed = trace.nodes.flatMap((node, index) => [node, ...(behind.get(index) ?? [])]);
  const whole = { ...trace, state, nodes: [...(behind.get(-1) ?? []), ...placed] };
  const live = liveNodes(whole);
  return { ...whole, nodes: whole.nodes.filter((node) => live.has(node)) };
}

const isSmall = ({ shape }: Value): boolean => sizeOf(shape) <= small;
const isVector = (value: Value): boolean =>
  value.shape.length === 1 && value.dtype === 'float32' && isSmall(value);

/** Finds updates of vectors that come about in the same way. */
class Updates {
  readonly #trace: Trace;
  readonly #takers = new Map<Value, Node[]>();
  /** Nodes that small results follow from, and nothing else. */
  readonly #ends = new Set<Node>();
  /** Those of them that work on vectors element by element, for nothing but next values of state. */
  readonly steps = new Set<Node>();
  /** Ways of coming about, by what they consist of, and values' ways. */
  readonly #ways = new Map<string, number>();
  readonly #wayOf = new Map<Value, number>();

  constructor(trace: Trace) {
    this.#trace = trace;
    for (const node of trace.nodes)
      for (const value of Object.values(node.inputs)) {
        const takers = this.#takers.get(value);
        if (takers) takers.push(node);
        else this.#takers.set(value, [node]);
      }
    const handedOut = new Set([...trace.outputs.values(), ...trace.diagnosis.values()]);
    for (const node of trace.nodes.toReversed()) {
      const takers = node.outputs.flatMap((made) => this.#takers.get(made) ?? []);
      if (!node.outputs.every(isSmall) || !takers.every((taker) => this.#ends.has(taker))) continue;
      this.#ends.add(node);
      const isTakenOnly = takers.every((taker) => this.steps.has(taker)) && !handedOut.has(node.outputs[0]);
      if (isTakenOnly && isStep(node)) this.steps.add(node);
    }
  }

  /** Groups of alike updates. Each is the names of state whose next values it makes, in the order of the others' names. */
  alike(): string[][][] {
    const owners = new Map<Node, string[]>();
    const updates: string[][] = [];
    for (const [name, next] of this.#trace.state) {
      if (next.kind !== 'result' || !this.steps.has(next.node)) continue;
      const nodes = this.#stepsOf(next.node);
      const known = nodes.map((node) => owners.get(node)).find((owner) => owner);
      const update = known ?? [];
      if (!known) updates.push(update);
      update.push(name);
      for (const node of nodes) owners.set(node, update);
    }
    const ways = Map.groupBy(updates, (names) =>
      names.map((name) => this.#way(this.#trace.state.get(name)!)).join(),
    );
    return [...ways.values()].filter(({ length }) => length > 1);
  }

  #stepsOf(last: Node): Node[] {
    const found = new Set([last]);
    for (const { inputs } of found)
      for (const value of Object.values(inputs))
        if (value.kind === 'result' && this.steps.has(value.node)) found.add(value.node);
    return [...found];
  }

  /** Equal for two values that are made of vectors in the same way, with the same scalars. */
  #way(value: Value): number {
    const known = this.#wayOf.get(value);
    if (known !== undefined) return known;
    const key = this.#describe(value) ?? `other ${this.#ways.size}`;
    const way = this.#ways.get(key) ?? this.#ways.size;
    this.#ways.set(key, way);
    this.#wayOf.set(value, way);
    return way;
  }

  #describe(value: Value): string | undefined {
    const isScalar = value.shape.length === 0;
    if (value.kind === 'input' && isScalar) return `${value.role} ${value.name}`;
    if (value.kind === 'constant' && isScalar) return `${value.dtype} ${value.fill}`;
    if (value.kind !== 'result') return isVector(value) ? 'vector' : undefined;
    const { kernel, attrs, inputs } = value.node;
    const given = Object.values(inputs);
    if (this.steps.has(value.node) || (isScalar && given.every(({ shape }) => shape.length === 0)))
      return `${kernel} ${JSON.stringify(attrs)} ${given.map((each) => this.#way(each))}`;
    const isHeld = this.#takers.get(value)!.some((taker) => !this.#ends.has(taker));
    return isVector(value) && isHeld ? 'vector' : undefined;
  }
}

/** Whether a node makes a vector of vectors as long and of scalars. */
function isStep({ kernel, inputs, outputs: [made] }: Node): boolean {
  const isAlike = (value: Value) =>
    value.shape.length === 0 || (isVector(value) && value.shape[0] === made.shape[0]);
  return kernel in elementwiseRules && isVector(made) && Object.values(inputs).every(isAlike);
}

/** What nodes make of vectors, made of all those vectors one after the other. */
class Joined {
  readonly nodes: Node[] = [];
  /** The nodes whose results it is made of. */
  readonly takes: Node[] = [];
  readonly #steps: ReadonlySet<Node>;
  readonly #made: { each: readonly Value[]; whole: Value }[] = [];

  constructor(steps: ReadonlySet<Node>) {
    this.#steps = steps;
  }

  /** Vectors in the place of those given. */
  parts(each: readonly ResultValue[]): ResultValue[] {
    return this.#place('SplitV', { x: this.#whole(each) }, { axis: 0 }, each);
  }

  /** The given vectors, which come about in the same way, one after the other; of scalars, which are all the same, the first. */
  #whole(each: readonly Value[]): Value {
    const known = this.#made.find((made) => made.each.every((value, index) => value === each[index]));
    if (known) return known.whole;
    const whole = this.#make(each);
    this.#made.push({ each, whole });
    return whole;
  }

  #make(each: readonly Value[]): Value {
    const [first] = each;
    const isStep = first.kind === 'result' && this.#steps.has(first.node);
    if (!isStep) for (const value of each) if (value.kind === 'result') this.takes.push(value.node);
    if (first.shape.length === 0) return first;
    const like = { ...first, shape: [each.reduce((sum, { shape }) => sum + shape[0], 0)] };
    if (!isStep) return this.#place('Concat', Object.fromEntries(each.entries()), { axis: 0 }, [like])[0];
    const { kernel, attrs, inputs } = first.node;
    const wholes = Object.keys(inputs).map((name) => [
      name,
      this.#whole(each.map((value) => (value as ResultValue).node.inputs[name])),
    ]);
    return this.#place(kernel, Object.fromEntries(wholes), attrs, [like])[0];
  }

  #place(
    kernel: string,
    inputs: Node['inputs'],
    attrs: Node['attrs'],
    like: readonly Value[],
  ): ResultValue[] {
    const outputs: ResultValue[] = [];
    const node: Node = { kernel, inputs, attrs, outputs };
    for (const { id, shape, dtype } of like) outputs.push({ kind: 'result', id, shape, dtype, node });
    this.nodes.push(node);
    return outputs;
  }
}

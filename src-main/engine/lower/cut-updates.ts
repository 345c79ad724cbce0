/**
 * The updates of large matrices, cut into pieces of whole rows. A gradient as large as its matrix, and every product of an
 * optimizer's formula, would each take memory of that size; pieces are made one after the other, and what one was made of is free
 * for the next.
 */
import { type InputValue, type Node, type ResultValue, sizeOf, type Trace, type Value } from '../trace/ir.ts';
import { elementwiseRules } from './elementwise.ts';
import { liveNodes } from './forward-nodes.ts';

/** Elements of a matrix from which on its update is cut, and of a piece, about. */
const sizes = { large: 2 ** 22, piece: 2 ** 20 };

/**
 * The trace with the next value of each large matrix, or of what has rows in its last axis, made in pieces [rows, columns]. These
 * stand in the new state under the names of inputs that are parts of the old state (`part`). What `but` gives lies in another order,
 * and is left as it is.
 */
export function cutUpdates(trace: Trace, but: () => Iterable<InputValue>, { large, piece } = sizes): Trace {
  const isLarge = ({ shape, dtype }: Value) =>
    dtype === 'float32' && shape.length > 1 && sizeOf(shape) >= large;
  const largest = [...trace.state].flatMap(([name, next]) => (isLarge(next) ? [name] : []));
  if (largest.length === 0) return trace;
  const left = new Set(Array.from(but(), ({ name }) => name));
  const names = largest.filter((name) => !left.has(name));
  // What is needed whole as well is not made in pieces a second time.
  const whole = new Set<Value>();
  for (;;) {
    const { cut, results } = new Cutting(trace, names, piece, whole);
    const live = liveNodes(cut);
    const twice = results.filter(({ node }) => live.has(node));
    if (twice.length === 0) return { ...cut, nodes: cut.nodes.filter((node) => live.has(node)) };
    for (const value of twice) whole.add(value);
  }
}

interface Rows {
  from: number;
  count: number;
}

const columnsOf = ({ shape }: Value): number => shape.at(-1)!;

/** Whether a value is one matrix, [rows, columns] or [1, rows, columns]. */
const isMatrix = ({ shape }: Value): boolean => shape.length >= 2 && sizeOf(shape.slice(0, -2)) === 1;

/** Whether two values are as many rows of as many columns. */
const areAlike = (one: Value, other: Value): boolean =>
  columnsOf(one) === columnsOf(other) && sizeOf(one.shape) === sizeOf(other.shape);

/** Values for each piece by a node's inputs; one alone is the same for all of them. */
type Operands = Record<string, readonly Value[]>;

const nth = (operands: Operands, index: number): Node['inputs'] =>
  Object.fromEntries(Object.entries(operands).map(([name, each]) => [name, each[index] ?? each[0]]));

const mapped = (inputs: Node['inputs'], change: (value: Value) => readonly Value[]): Operands =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, change(value)]));

class Cutting {
  readonly cut: Trace;
  /** Results that were cut into results of their own. */
  readonly results: ResultValue[] = [];
  readonly #piece: number;
  readonly #whole: ReadonlySet<Value>;
  readonly #pieces = new Map<Value, readonly Value[]>();
  readonly #views: InputValue[] = [];
  /** New nodes by the one that they stand behind; without one they stand in front. */
  readonly #behind = new Map<Node | undefined, Node[]>();

  /** `names`: the state to cut; `piece`: elements of a piece, about; `whole`: results of which slices are cut off only. */
  constructor(trace: Trace, names: readonly string[], piece: number, whole: ReadonlySet<Value>) {
    this.#piece = piece;
    this.#whole = whole;
    const state = new Map(trace.state);
    for (const name of names) {
      const current = trace.inputs.find((input) => input.role === 'state' && input.name === name)!;
      const views = this.#piecesOf(current) as InputValue[];
      for (const [index, next] of this.#piecesOf(trace.state.get(name)!).entries())
        state.set(views[index].name, next);
      state.delete(name);
    }
    const nodes = [undefined, ...trace.nodes].flatMap((node) => [
      ...(node ? this.#measured(node) : []),
      ...(this.#behind.get(node) ?? []),
    ]);
    this.cut = { ...trace, inputs: [...trace.inputs, ...this.#views], nodes, state };
  }

  /** Every value has pieces [rows, columns]; where nothing better is known, they are sliced off. */
  #piecesOf(value: Value): readonly Value[] {
    const pieces =
      this.#pieces.get(value) ?? this.#viewsOf(value) ?? this.#cutResult(value) ?? this.#cutOff(value);
    this.#pieces.set(value, pieces);
    return pieces;
  }

  #rowsOf(value: Value): Rows[] {
    const size = sizeOf(value.shape);
    const rows = size / columnsOf(value);
    const each = Math.ceil(rows / Math.ceil(size / this.#piece));
    return Array.from({ length: Math.ceil(rows / each) }, (_, index) => ({
      from: index * each,
      count: Math.min(each, rows - index * each),
    }));
  }

  /** Rows of state are there, in its memory. */
  #viewsOf(value: Value): InputValue[] | undefined {
    if (value.kind !== 'input' || value.role !== 'state') return undefined;
    const columns = columnsOf(value);
    const views = this.#rowsOf(value).map(({ from, count }): InputValue => {
      const part = { of: value.name, from: from * columns };
      return { ...value, name: `${value.name} from row ${from}`, shape: [count, columns], part };
    });
    this.#views.push(...views);
    return views;
  }

  /** Pieces made of pieces; undefined where the kernel does not go row by row. */
  #cutResult(value: Value): readonly Value[] | undefined {
    if (value.kind !== 'result' || this.#whole.has(value)) return undefined;
    const { node } = value;
    const [x] = Object.values(node.inputs);
    if (node.kernel === 'Reshape' && areAlike(x, value)) return this.#piecesOf(x);
    const rows = this.#rowsOf(value);
    const isProduct = node.kernel === 'BatchMatMul';
    const operands = isProduct ? this.#factors(node, rows) : this.#elements(value);
    if (!operands) return undefined;
    this.results.push(value);
    return rows.map(({ count }, index) => {
      const shape = [count, columnsOf(value)];
      const piece = this.#place(node, derived(node, nth(operands, index), isProduct ? [1, ...shape] : shape));
      return isProduct ? this.#place(node, reshaped(piece, shape)) : piece;
    });
  }

  /** What pieces of a product of two matrices take: rows of the left one. */
  #factors(node: Node, rows: readonly Rows[]): Operands | undefined {
    const { a, b } = node.inputs;
    if (!isMatrix(a) || !isMatrix(b)) return undefined;
    return { a: this.#slices(a, a.shape.length - (node.attrs.transposeA ? 1 : 2), rows, node), b: [b] };
  }

  /** What pieces take of a kernel that works element by element: pieces, and what is the same for every row. */
  #elements(value: ResultValue): Operands | undefined {
    const { kernel, inputs } = value.node;
    if (!elementwiseRules[kernel]) return undefined;
    const isRow = ({ shape }: Value) => shape.length <= 2 && [1, columnsOf(value)].includes(sizeOf(shape));
    if (!Object.values(inputs).every((each) => areAlike(each, value) || isRow(each))) return undefined;
    return mapped(inputs, (each) =>
      areAlike(each, value) ? this.#piecesOf(each) : this.#scalarsOf(each, value),
    );
  }

  /**
   * What pieces take of a scalar. Where that waits until a matrix is measured which is cut as `like` is, each waits for its own piece only.
   */
  #scalarsOf(value: Value, like: Value): readonly Value[] {
    if (value.kind !== 'result' || value.shape.length > 0) return [value];
    const { kernel, inputs } = value.node;
    if (kernel === 'After')
      return this.#scalars(value, { x: [inputs.x], other: this.#measuresOf(inputs.other, like) });
    if (!elementwiseRules[kernel]) return [value];
    return this.#scalars(
      value,
      mapped(inputs, (each) => this.#scalarsOf(each, like)),
    );
  }

  /** A matrix's sum of squares, which stands by itself or in a sum with what was measured before. */
  #measuresOf(value: Value, like: Value): readonly Value[] {
    const measured = (each: Value) => {
      if (each.kind !== 'result' || each.node.kernel !== 'SumOfSquares') return [each];
      const { x } = each.node.inputs;
      return areAlike(x, like) ? this.#scalars(each, { x: this.#piecesOf(x) }) : [each];
    };
    const isSum = value.kind === 'result' && value.node.kernel === 'Add';
    return isSum ? this.#scalars(value, mapped(value.node.inputs, measured)) : measured(value);
  }

  /** A scalar for each piece, where they follow from different values. */
  #scalars(value: ResultValue, operands: Operands): readonly Value[] {
    const count = Math.max(...Object.values(operands).map(({ length }) => length));
    if (count === 1) return [value];
    return Array.from({ length: count }, (_, index) =>
      this.#place(value.node, derived(value.node, nth(operands, index), [])),
    );
  }

  #cutOff(value: Value): ResultValue[] {
    const node = value.kind === 'result' ? value.node : undefined;
    const columns = columnsOf(value);
    const matrix = this.#place(node, reshaped(value, [sizeOf(value.shape) / columns, columns]));
    return this.#slices(matrix, 0, this.#rowsOf(value), node);
  }

  #slices(value: Value, axis: number, rows: readonly Rows[], behind: Node | undefined): ResultValue[] {
    return rows.map(({ from, count }) => {
      const shape = value.shape.with(axis, count);
      const attrs = { begin: shape.map(() => 0).with(axis, from), size: shape };
      return this.#place(behind, derived({ kernel: 'Slice', attrs, outputs: [value] }, { x: value }, shape));
    });
  }

  /** A sum of squares of what was cut is that of its pieces. */
  #measured(node: Node): Node[] {
    const pieces = node.kernel === 'SumOfSquares' ? this.#pieces.get(node.inputs.x) : undefined;
    if (!pieces) return [node];
    const squares = pieces.map((x) => derived(node, { x }, []));
    const inputs = Object.fromEntries(squares.map((square, index) => [index, square]));
    return [...squares.map((square) => square.node), { ...node, kernel: 'AddN', inputs }];
  }

  #place(behind: Node | undefined, result: ResultValue): ResultValue {
    this.#behind.set(behind, [...(this.#behind.get(behind) ?? []), result.node]);
    return result;
  }
}

const reshaped = (x: Value, shape: readonly number[]): ResultValue =>
  derived({ kernel: 'Reshape', attrs: { shape }, outputs: [x] }, { x }, shape);

/** A result of another shape, by a node like the given one of other inputs. */
function derived(
  { kernel, attrs, outputs: [like] }: Pick<Node, 'kernel' | 'attrs'> & { outputs: readonly Value[] },
  inputs: Node['inputs'],
  shape: readonly number[],
): ResultValue {
  const outputs: ResultValue[] = [];
  const node: Node = { kernel, attrs, inputs, outputs };
  outputs.push({ kind: 'result', id: like.id, dtype: like.dtype, shape, node });
  return outputs[0];
}

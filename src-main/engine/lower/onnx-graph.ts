import { type ElementType, sizeOf } from '../trace/ir.ts';
import { ProtobufWriter } from './protobuf.ts';

export type Name = string;
type Attribute = number | string | readonly number[] | { float: number } | { floats: readonly number[] };
export type Attributes = Record<string, Attribute | undefined>;
type OnnxType = ElementType | 'int64' | 'float16' | 'float64';

export interface NamedSpec {
  name: Name;
  shape: readonly number[];
  dtype: OnnxType;
}

/** A constant beside a model in memory, under the name by which the model refers to it. */
export interface ConstantApart {
  path: Name;
  data: Uint8Array;
}

/** A constant that is fed at every run, under the name of the graph's input for it. */
export interface FedConstant {
  port: Name;
  shape: readonly number[];
  data: Float32Array;
}

interface Initializer {
  name: Name;
  dtype: OnnxType;
  shape: readonly number[];
  data: Buffer;
}

interface OnnxNode {
  output: Name;
  /** Further outputs. */
  more?: readonly Name[];
  type: string;
  inputs: readonly Name[];
  attributes: Attributes;
  domain: string;
}

/** TensorProto.DataType of onnx.proto. */
export const onnxTypes: Record<OnnxType, number> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
};
/** AttributeProto.AttributeType of onnx.proto. */
const attributeTypes = { float: 1, int: 2, string: 3, floats: 6, ints: 7 };
/** TensorProto.DataLocation of onnx.proto. */
const externalData = 1;
const elementwise = new Set(['Add', 'Sub', 'Mul']);
/** Elements of a tensor from which on a second one for its next value is worth avoiding. */
const worthWaiting = 2 ** 18;
/** Bytes of a constant from which on a copy of it is worth avoiding. */
const worthApart = 2 ** 16;
const opset = 18;
/** Domain of ONNX Runtime's operators on blocked tensors. */
export const nchwcDomain = 'com.microsoft.nchwc';
/** Operators, `domain:type`, for which it is all the same whether their matrix or filter is a constant or an input. */
const takeInputs = new Set([`${nchwcDomain}:Conv`, ':Gemm', ':MatMul', ':Gather']);
/** Operators whose only whole numbers are the shape of what they make. */
const takeShapes = new Set(['Reshape', 'Expand']);
/** First output of a graph whose outputs the runtime is not to copy: a sequence, see `runInto` in run/session.ts. */
const uncopied = 'uncopied';
const microsoftDomains = ['com.microsoft', nchwcDomain];

/** An extent that the graph leaves open: the program was traced with `extent`, a prime that no other extent has as a factor. */
export interface OpenExtent {
  extent: number;
  /** What it is called: `batch`. */
  name: string;
  /** The graph input, and which of its axes it is. */
  input: Name;
  axis: number;
}

/** An ONNX graph under construction. Nodes of one output that are equal are made once. */
export class OnnxGraph {
  readonly #open: readonly OpenExtent[];
  #nodes: OnnxNode[] = [];
  /** Which node makes a tensor, and which ones read it. */
  #makers = new Map<Name, OnnxNode>();
  #readers = new Map<Name, Set<OnnxNode>>();
  /** Final names of node outputs that the graph hands out. */
  #exported = new Map<Name, Name>();
  #initializers = new Map<Name, Initializer>();
  /** Shapes of tensors that the runtime is to know also of an unplanned graph. */
  #shapes = new Map<Name, readonly number[]>();
  #made = new Map<string, Name>();
  #count = 0;

  constructor(open: readonly OpenExtent[] = []) {
    this.#open = open;
  }

  /** Adds a node and returns the name of its output. Empty input names stand for absent optional inputs. */
  op(type: string, inputs: readonly Name[], attributes: Attributes = {}, domain = ''): Name {
    const key = JSON.stringify([domain, type, inputs, attributes]);
    const known = this.#made.get(key);
    if (known) return known;
    const output = `${type}_${this.#count++}`;
    this.named(output, type, inputs, attributes, domain);
    this.#made.set(key, output);
    return output;
  }

  /** Adds a node whose output has a given name. */
  named(output: Name, type: string, inputs: readonly Name[], attributes: Attributes = {}, domain = ''): void {
    this.#add({ output, type, inputs, attributes, domain });
  }

  /** Adds a node of several outputs and returns their names. */
  several(type: string, inputs: readonly Name[], count: number, attributes: Attributes = {}): Name[] {
    const names = Array.from({ length: count }, () => `${type}_${this.#count++}`);
    const [output, ...more] = names;
    this.#add({ output, more, type, inputs, attributes, domain: '' });
    return names;
  }

  #add(node: OnnxNode): void {
    this.#nodes.push(node);
    for (const name of [node.output, ...(node.more ?? [])]) this.#makers.set(name, node);
    this.#reads(node);
  }

  #reads(node: OnnxNode): void {
    for (const name of node.inputs) {
      const readers = this.#readers.get(name);
      if (readers) readers.add(node);
      else this.#readers.set(name, new Set([node]));
    }
  }

  /** Makes a tensor a graph output under a name of its own: a node's output is renamed, anything else copied. */
  export(name: Name, as: Name): void {
    const maker = this.#makers.get(name);
    if (maker && !this.#exported.has(name)) {
      this.#exported.set(name, as);
      this.#makers.set(as, maker);
    } else this.named(as, 'Identity', [name]);
  }

  /**
   * Whether `output` may be written over an input of the same shape: whatever else reads the input has done so when `output` is made,
   * and what makes it reads it element by element. A reader that nothing holds up is made to come before where the tensor is large.
   * `names` are the input and whichever others hold its elements.
   */
  isReplacedBy(names: readonly Name[], output: Name, shape: readonly number[]): boolean {
    const maker = this.#makers.get(output);
    if (!maker || !elementwise.has(maker.type)) return false;
    const before = new Set(maker.inputs.map((input) => this.#makers.get(input)));
    const [name] = names;
    const readers = new Set(names.flatMap((each) => this.#readersOf(each)));
    const others = [...readers].filter((reader) => reader !== maker && !before.has(reader));
    if (others.length === 0) return true;
    if (sizeOf(shape) < worthWaiting || !maker.inputs.includes(name)) return false;
    const ancestors = this.#ancestorsOf(maker);
    const late = others.filter((reader) => !ancestors.has(reader));
    const at = this.#nodes.indexOf(maker);
    if (late.some((reader) => this.#nodes.indexOf(reader) > at)) return false;
    if (late.length > 0) this.#awaits(maker, at, name, shape, late);
    return true;
  }

  /** Says what shape tensors of floats have, also where the graph is unplanned: one of them may then be written over another. */
  declare(names: readonly Name[], shape: readonly number[]): void {
    for (const name of names) this.#shapes.set(name, shape);
  }

  /** What reads a tensor, under whatever shape. */
  #readersOf(name: Name): OnnxNode[] {
    return [...(this.#readers.get(name) ?? [])].flatMap((reader) =>
      reader.type === 'Reshape' && reader.inputs[0] === name ? this.#readersOf(reader.output) : [reader],
    );
  }

  #ancestorsOf(node: OnnxNode): Set<OnnxNode> {
    const found = new Set<OnnxNode>();
    const pending = [node];
    for (let next = pending.pop(); next; next = pending.pop())
      for (const input of next.inputs) {
        const maker = this.#makers.get(input);
        if (!maker || found.has(maker)) continue;
        found.add(maker);
        pending.push(maker);
      }
    return found;
  }

  /** Lets a node read a tensor only when others are made: by its shape, behind none of the extents of theirs. */
  #awaits(
    node: OnnxNode,
    at: number,
    name: Name,
    shape: readonly number[],
    others: readonly OnnxNode[],
  ): void {
    const count = this.#nodes.length;
    const nothing = others.map(({ output }) => this.op('Shape', [output], { end: 0 }));
    const extents = this.op('Concat', [...nothing, this.ints(shape)], { axis: 0 });
    const awaited = this.op('Reshape', [name, extents]);
    this.#nodes.splice(at, 0, ...this.#nodes.splice(count));
    node.inputs = node.inputs.map((input) => (input === name ? awaited : input));
  }

  /** A constant tensor. Small ones and those of whole numbers (rows to pick) with equal contents are stored once. */
  constant(dtype: OnnxType, shape: readonly number[], data: ArrayBufferView): Name {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const isShared = bytes.length <= 1024 || dtype === 'int32';
    const key = isShared ? `${dtype} ${shape.join()}:${bytes.toString('latin1')}` : undefined;
    const known = key && this.#made.get(key);
    if (known) return known;
    const name = `constant_${this.#count++}`;
    this.#initializers.set(name, { name, dtype, shape, data: bytes });
    if (key) this.#made.set(key, name);
    return name;
  }

  /** The values of a float32 constant that is large enough for a copy of it to be worth avoiding. */
  largeConstant(name: Name): Float32Array | undefined {
    const found = this.#initializers.get(name);
    if (found?.dtype !== 'float32' || found.data.length < worthApart) return undefined;
    return new Float32Array(found.data.buffer, found.data.byteOffset, found.data.length / 4);
  }

  /** Rows of a tensor that has `count` of them: the tensor itself where they are all of them, in their order. */
  pickRows(name: Name, count: number, rows: ArrayLike<number>): Name {
    if (rows.length === count && Array.prototype.every.call(rows, (row, index) => row === index)) return name;
    return this.op('Gather', [name, this.constant('int32', [rows.length], Int32Array.from(rows))], {
      axis: 0,
    });
  }

  /** A vector of int64, the type of ONNX's shapes and axes. What follows from an open extent is computed at run time. */
  ints(values: readonly number[]): Name {
    if (values.some((value) => this.#isOpen(value))) return this.#openInts(values);
    return this.constant('int64', [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  /** A shape to bring a tensor into: one extent that follows from open ones is left to be found. */
  reshapeTo(shape: readonly number[]): Name {
    const open = shape.filter((extent) => this.#isOpen(extent));
    return this.ints(open.length === 1 ? shape.map((extent) => (this.#isOpen(extent) ? -1 : extent)) : shape);
  }

  #isOpen(value: number): boolean {
    return value !== 0 && this.#open.some(({ extent }) => value % extent === 0);
  }

  #openInts(values: readonly number[]): Name {
    const parts = values.map((value) => {
      if (!this.#isOpen(value)) return this.ints([value]);
      const factors: Name[] = [];
      let rest = value;
      for (const { extent, input, axis } of this.#open)
        if (rest % extent === 0) {
          rest /= extent;
          factors.push(this.op('Shape', [input], { start: axis, end: axis + 1 }));
        }
      if (rest !== 1) factors.push(this.ints([rest]));
      return factors.reduce((product, factor) => this.op('Mul', [product, factor]));
    });
    return parts.length === 1 ? parts[0] : this.op('Concat', parts, { axis: 0 });
  }

  /** A constant of rank 0. */
  scalar(value: number, dtype: ElementType = 'float32'): Name {
    return this.filled([], value, dtype);
  }

  /** A constant of equal elements; large ones are made at run time from one element. */
  filled(shape: readonly number[], value: number, dtype: ElementType): Name {
    const types = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
    if (sizeOf(shape) <= 64) return this.constant(dtype, shape, new types[dtype](sizeOf(shape)).fill(value));
    return this.op('Expand', [this.filled([], value, dtype), this.ints(shape)]);
  }

  /**
   * Leaves out reshapes that nothing but another one takes: opening a session takes its time for each node. Where more takes the first it
   * stays, for what is made anew for the gradient would else hold on to the forward pass.
   */
  #joinReshapes(): void {
    const needless = new Set<OnnxNode>();
    for (const node of this.#nodes) {
      const first = node.type === 'Reshape' ? this.#makers.get(node.inputs[0]) : undefined;
      if (first?.type !== 'Reshape' || this.#exported.has(first.output)) continue;
      if (this.#readers.get(first.output)?.size !== 1) continue;
      const [between, target] = [first, node].map(({ inputs }) => this.#knownInts(inputs[1]));
      if (!between || !target) continue;
      // 0 takes the extent that is there.
      const shape = target.map((extent, axis) => extent || between[axis]);
      if (target.some((extent, axis) => extent === 0 && !(between[axis] > 0))) continue;
      needless.add(first);
      for (const passing of [first, node])
        for (const name of passing.inputs) this.#readers.get(name)?.delete(passing);
      node.inputs = [first.inputs[0], this.ints(shape)];
      this.#reads(node);
    }
    this.#nodes = this.#nodes.filter((node) => !needless.has(node));
  }

  #knownInts(name: Name): number[] | undefined {
    const data = this.#initializers.get(name)?.data;
    return data && Array.from({ length: data.length / 8 }, (_, at) => Number(data.readBigInt64LE(8 * at)));
  }

  /**
   * Brings what follows from the given inputs and constants alone to the front. The runtime keeps a sorted list of nodes that could be next,
   * the first of them taken first, and goes through it for every node that it adds.
   */
  #bringForward(given: readonly Name[]): void {
    const known = new Set([...this.#initializers.keys(), ...given, '']);
    const [first, rest]: [OnnxNode[], OnnxNode[]] = [[], []];
    for (const node of this.#nodes) {
      const isFirst = node.inputs.every((name) => known.has(name));
      (isFirst ? first : rest).push(node);
      if (isFirst) for (const name of [node.output, ...(node.more ?? [])]) known.add(name);
    }
    this.#nodes = [...first, ...rest];
  }

  /**
   * The model; with `intoGiven` one whose outputs are not copied out of the memory that is given for them. Where it is `unplanned`, the
   * runtime learns shapes only when it comes to them, and does not plan which tensors have the same memory one after the other: for each it
   * would search all that are free. What follows from `state` alone stands first. Large constants go
   * to `fed` where there is one, and become inputs, of which the runtime makes no copy; those that it is to know beforehand go to
   * `apart`: whoever opens the model gives them to the runtime, which otherwise holds three copies of each while it does so.
   */
  toBytes(
    inputs: readonly NamedSpec[],
    outputs: readonly NamedSpec[],
    {
      intoGiven = false,
      unplanned = false,
      state = [],
      apart,
      fed,
    }: {
      intoGiven?: boolean;
      unplanned?: boolean;
      state?: readonly Name[];
      apart?: ConstantApart[];
      fed?: FedConstant[];
    } = {},
  ): Uint8Array {
    if (intoGiven) this.named(uncopied, 'SequenceConstruct', [this.scalar(0)]);
    this.#joinReshapes();
    this.#bringForward(state);
    const graph = new ProtobufWriter();
    const nameOf = (name: Name) => this.#exported.get(name) ?? name;
    for (const node of this.#nodes) graph.bytes(1, encodeNode(node, nameOf));
    graph.bytes(2, 'program');
    for (const initializer of this.#initializers.values()) {
      const { name, data } = initializer;
      const readers = this.#readers.get(name);
      if (!readers?.size) continue;
      const values = this.largeConstant(name);
      if (fed && values && [...readers].every(({ domain, type }) => takeInputs.has(`${domain}:${type}`))) {
        fed.push({ port: name, shape: initializer.shape, data: values });
        continue;
      }
      const isApart = apart !== undefined && data.length >= worthApart;
      if (isApart) apart.push({ path: name, data });
      graph.bytes(5, encodeInitializer(initializer, isApart));
      const isShape = initializer.dtype === 'int64' && [...readers].every(({ type }) => takeShapes.has(type));
      if (unplanned && isShape) graph.bytes(11, valueInfo({ name, dtype: 'int64' }, []));
    }
    const constants = (fed ?? []).map(({ port, shape }) => ({
      name: port,
      shape,
      dtype: 'float32' as const,
    }));
    const info = (spec: NamedSpec) => valueInfo(unplanned ? { ...spec, shape: undefined } : spec, this.#open);
    for (const input of [...inputs, ...constants]) graph.bytes(11, info(input));
    if (intoGiven) graph.bytes(12, sequenceInfo(uncopied));
    for (const output of outputs) graph.bytes(12, info(output));
    if (unplanned)
      for (const [name, shape] of this.#shapes)
        graph.bytes(13, valueInfo({ name, shape, dtype: 'float32' }, []));
    const model = new ProtobufWriter().integer(1, 8).bytes(2, 'Cotuning Studio').bytes(7, graph);
    model.bytes(8, new ProtobufWriter().bytes(1, '').integer(2, opset));
    for (const domain of microsoftDomains)
      model.bytes(8, new ProtobufWriter().bytes(1, domain).integer(2, 1));
    return model.toBytes();
  }
}

/** TensorProto of onnx.proto. */
function encodeInitializer({ name, dtype, shape, data }: Initializer, isApart: boolean): ProtobufWriter {
  const tensor = new ProtobufWriter();
  for (const extent of shape) tensor.integer(1, extent);
  tensor.integer(2, onnxTypes[dtype]).bytes(8, name);
  if (!isApart) return tensor.bytes(9, data);
  const entries = { location: name, offset: '0', length: String(data.length) };
  for (const [key, value] of Object.entries(entries))
    tensor.bytes(13, new ProtobufWriter().bytes(1, key).bytes(2, value));
  return tensor.integer(14, externalData);
}

function encodeNode(
  { output, more = [], type, inputs, attributes, domain }: OnnxNode,
  nameOf: (name: Name) => Name,
) {
  const node = new ProtobufWriter();
  for (const input of inputs) node.bytes(1, nameOf(input));
  for (const name of [output, ...more]) node.bytes(2, nameOf(name));
  node.bytes(3, output).bytes(4, type);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) node.bytes(5, attribute(name, value));
  return domain ? node.bytes(7, domain) : node;
}

function attribute(name: string, value: Attribute): ProtobufWriter {
  const message = new ProtobufWriter().bytes(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, attributeTypes.int);
  if (typeof value === 'string') return message.bytes(4, value).integer(20, attributeTypes.string);
  if ('float' in value) return message.float(2, value.float).integer(20, attributeTypes.float);
  if ('floats' in value) {
    for (const element of value.floats) message.float(7, element);
    return message.integer(20, attributeTypes.floats);
  }
  for (const element of value) message.integer(8, element);
  return message.integer(20, attributeTypes.ints);
}

/** A tensor's type, and its shape where that is given. */
function valueInfo(
  { name, shape, dtype }: Omit<NamedSpec, 'shape'> & { shape?: readonly number[] },
  opened: readonly OpenExtent[],
): ProtobufWriter {
  const tensor = new ProtobufWriter().integer(1, onnxTypes[dtype]);
  if (shape) tensor.bytes(2, dimensionsOf(shape, opened));
  return new ProtobufWriter().bytes(1, name).bytes(2, new ProtobufWriter().bytes(1, tensor));
}

function dimensionsOf(shape: readonly number[], opened: readonly OpenExtent[]): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const extent of shape) {
    const dimension = new ProtobufWriter();
    const open = opened.find((one) => one.extent === extent);
    dimensions.bytes(1, open ? dimension.bytes(2, open.name) : dimension.integer(1, extent));
  }
  return dimensions;
}

/** A sequence of single floats. */
function sequenceInfo(name: Name): ProtobufWriter {
  const tensor = new ProtobufWriter().integer(1, onnxTypes.float32).bytes(2, new ProtobufWriter());
  const element = new ProtobufWriter().bytes(1, tensor);
  const sequence = new ProtobufWriter().bytes(1, element);
  return new ProtobufWriter().bytes(1, name).bytes(2, new ProtobufWriter().bytes(4, sequence));
}

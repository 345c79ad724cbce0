import * as tf from '@tensorflow/tfjs-core';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { ConstantValue, ElementType, InputValue, Node, ResultValue, Value } from './ir.ts';
import { sizeOf } from './ir.ts';
import { type Attributes, type Described, shapeRules } from './shapes.ts';

/** Name of the tracing backend in tf.js's registry. */
export const traceBackendName = 'cotune-trace';

interface Entry {
  value: Value;
  references: number;
}

/** A tf.js backend whose tensors hold no numbers: it records which kernels would have run. */
export class TraceBackend extends tf.KernelBackend {
  readonly recorded: Node[] = [];
  #entries: tf.DataStorage<Entry>;
  #count = 0;

  constructor() {
    super();
    this.#entries = new tf.DataStorage<Entry>(this, tf.engine());
  }

  /** Forgets what was recorded; tensors of earlier traces keep their values. */
  clear(): void {
    this.recorded.length = 0;
  }

  /** The traced value behind a tensor; tensors of other backends become constants. */
  tracedValue(tensor: tf.TensorInfo): Value {
    return this.#entries.get(tensor.dataId).value;
  }

  /** A tensor fed from outside. */
  input(role: InputValue['role'], name: string, { shape, dtype }: Described): tf.Tensor {
    return this.#symbol({ kind: 'input', id: this.#count++, role, name, shape, dtype }) as tf.Tensor;
  }

  /** A tensor of known values, which stay as they are while the trace is used. */
  constant({ shape, dtype }: Described, data: ConstantValue['data'], isOurs: boolean): tf.Tensor {
    return this.#symbol({ ...this.#constantValue(data, shape, dtype), isOurs }) as tf.Tensor;
  }

  /** Records a kernel call and returns its symbolic outputs. */
  record(kernel: string, inputs: tf.NamedTensorInfoMap, attrs: Attributes): tf.TensorInfo | tf.TensorInfo[] {
    const values = Object.fromEntries(
      Object.entries(inputs)
        .filter(([, tensor]) => tensor != null)
        .map(([name, tensor]) => [name, this.tracedValue(tensor!)]),
    );
    const described = shapeRules[kernel](values as unknown as Record<string, Described>, attrs ?? {});
    const outputs: ResultValue[] = [];
    const node: Node = { kernel, inputs: values, attrs: attrs ?? {}, outputs };
    for (const { shape, dtype } of [described].flat())
      outputs.push({ kind: 'result', id: this.#count++, node, shape, dtype });
    this.recorded.push(node);
    const infos = outputs.map((value) => this.#info(value));
    return Array.isArray(described) ? infos : infos[0];
  }

  /** The same tensor under another handle. */
  alias(tensor: tf.TensorInfo): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: tensor.shape, dtype: tensor.dtype };
  }

  #info(value: Value): tf.TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { value, references: 1 });
    return { dataId, shape: [...value.shape], dtype: value.dtype };
  }

  #symbol(value: Value): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.#info(value), this);
  }

  #constantValue(values: tf.BackendValues | null, shape: number[], dtype: tf.DataType): ConstantValue {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new CotuneError('failed', `A traced program cannot hold ${dtype} tensors.`);
    const data = (values ?? new Float32Array(sizeOf(shape))) as ArrayLike<number>;
    const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
    // As tf.js does, without a copy: they may be a network's weights.
    const typed = data instanceof kinds[dtype] ? data : new kinds[dtype](data);
    const fill = typed.length > 0 && typed.every((element) => element === typed[0]) ? typed[0] : null;
    return { kind: 'constant', id: this.#count++, shape, dtype: dtype as ElementType, data: typed, fill };
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    refuseRandom();
    return this.#info(this.#constantValue(values, shape, dtype)).dataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.#entries.set(dataId, { value: this.#constantValue(values, shape, dtype), references });
  }

  override readSync(dataId: tf.DataId): tf.BackendValues {
    const { value } = this.#entries.get(dataId);
    if (value.kind === 'constant') return value.data;
    const what = value.kind === 'input' ? `the input «${value.name}»` : `the result of ${value.node.kernel}`;
    throw new CotuneError(
      'failed',
      `A program step read the numbers of ${what} while it was being traced; a step is traced before any number exists.`,
      'Return such values as outputs and decide outside of the step.',
    );
  }

  override async read(dataId: tf.DataId): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override refCount(dataId: tf.DataId): number {
    return this.#entries.has(dataId) ? this.#entries.get(dataId).references : 0;
  }

  override incRef(dataId: tf.DataId): void {
    this.#entries.get(dataId).references++;
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#entries.has(dataId)) return true;
    const entry = this.#entries.get(dataId);
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.#entries.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.#entries.numDataIds();
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }
}

const randomOps = /^(random|truncatedNormal|rand|dropout)/;

/**
 * tf.js draws random numbers on the host and hands them to the backend as they are: a step that is traced once would have
 * the same ones for ever.
 * @throws CotuneError where a random op is what makes a tensor.
 */
function refuseRandom(): void {
  for (const { name } of tf.engine().state.scopeStack) {
    const op = name.replace(tf.OP_SCOPE_SUFFIX, '');
    if (randomOps.test(op))
      throw new CotuneError(
        'failed',
        `A program step draws random numbers with tf.${op} while it is traced: every step would get the same ones.`,
        'Feed them as an input of the step, made by randomOf(seed, purpose, step).',
      );
  }
}

let registered: TraceBackend | undefined;

/** The process's tracing backend, registered with tf.js at the first call. */
export function traceBackend(): TraceBackend {
  if (registered) return registered;
  const backend = new TraceBackend();
  registered = backend;
  tf.registerBackend(traceBackendName, () => backend, 0);
  const register = (kernelName: string, kernelFunc: tf.KernelFunc) =>
    tf.registerKernel({ kernelName, backendName: traceBackendName, kernelFunc });
  register('Identity', ({ inputs }) => backend.alias(inputs.x!));
  for (const kernel of Object.keys(shapeRules))
    register(kernel, ({ inputs, attrs }) => {
      const { x } = inputs;
      const unchanged =
        (kernel === 'Cast' && (attrs as Attributes).dtype === x!.dtype) ||
        (kernel === 'Reshape' && (attrs as Attributes).shape.join() === x!.shape.join());
      return unchanged ? backend.alias(x!) : backend.record(kernel, inputs, attrs as Attributes);
    });
  return backend;
}

import { CotuneError } from '../../../src-shared/errors.ts';
import type { ElementName } from '../element-types.ts';
import { DamagedFile } from '../file-bytes.ts';
import { type Globals, type PickleFunction, PickleObject } from './pickle.ts';
import { type TorchStorage, TorchTensor } from './tensor.ts';

/** A class of storages: what its elements are; null for bytes whose tensors say it. */
export class StorageClass {
  readonly dtype: ElementName | null;
  constructor(dtype: ElementName | null) {
    this.dtype = dtype;
  }
}

class ElementClass {
  readonly dtype: ElementName;
  constructor(dtype: ElementName) {
    this.dtype = dtype;
  }
}

const storages: Record<string, ElementName | null> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  UntypedStorage: null,
  _UntypedStorage: null,
};

const elements: Record<string, ElementName> = {
  float64: 'F64',
  double: 'F64',
  float32: 'F32',
  float: 'F32',
  float16: 'F16',
  half: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  long: 'I64',
  int32: 'I32',
  int: 'I32',
  int16: 'I16',
  short: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
};

/** A view of a storage: `(storage, offset, shape, stride, …)`. */
const rebuildTensor: PickleFunction = ([storage, offset, shape, stride]) =>
  new TorchTensor(asStorage(storage), offset, shape, stride);

/** The same over plain bytes: the seventh argument says what they are. */
const rebuildTensorV3: PickleFunction = ([storage, offset, shape, stride, , , dtype]) => {
  if (!(dtype instanceof ElementClass)) throw new DamagedFile('a tensor does not say what its elements are');
  return new TorchTensor(asStorage(storage), offset, shape, stride, dtype.dtype);
};

function asStorage(value: unknown): TorchStorage {
  if (typeof value !== 'object' || value === null || !('read' in value) || value instanceof TorchTensor)
    throw new DamagedFile('a tensor is no view of a storage');
  return value as TorchStorage;
}

/** A dictionary, empty or from pairs. */
const dictionary: PickleFunction = ([pairs]) => {
  const map = new Map();
  if (pairs instanceof Map) return new Map(pairs);
  for (const pair of Array.isArray(pairs) ? pairs : []) if (Array.isArray(pair)) map.set(pair[0], pair[1]);
  return map;
};

const first: PickleFunction = ([value]) => value;
const lookedAt =
  (className: string): PickleFunction =>
  () =>
    new PickleObject(className);

/** Functions and classes of Python's that a file of weights needs, and what stands for them here. */
const functions: Record<string, PickleFunction> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': rebuildTensorV3,
  'torch._utils._rebuild_parameter': first,
  'torch._utils._rebuild_parameter_with_state': first,
  'torch.nn.parameter.Parameter': first,
  'torch.nn.parameter.Buffer': first,
  'torch.Tensor': first,
  'torch._tensor._rebuild_from_type_v2': ([rebuild, , args]) =>
    typeof rebuild === 'function' && Array.isArray(args) ? (rebuild as PickleFunction)(args) : null,
  'collections.OrderedDict': dictionary,
  'collections.defaultdict': () => new Map(),
  'collections.Counter': dictionary,
  'torch.Size': first,
  'torch.jit._pickle.build_intlist': first,
  'torch.jit._pickle.build_doublelist': first,
  'torch.jit._pickle.build_boollist': first,
  'torch.jit._pickle.build_tensorlist': first,
};

/** What may lie beside weights and is not looked into: settings, epochs, scores. */
const inert = new Set([
  'argparse.Namespace',
  'torch.device',
  'torch.serialization._get_layout',
  'torch.strided',
  '_codecs.encode',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.float64',
  'numpy.float32',
  'numpy.int64',
  'builtins.set',
  '__builtin__.set',
  'builtins.dict',
  '__builtin__.dict',
  'builtins.int',
  'builtins.float',
  'pathlib.PosixPath',
  'pathlib._local.PosixPath',
  'datetime.datetime',
  'datetime.timedelta',
  'copy_reg._reconstructor',
  'copyreg._reconstructor',
  'builtins.object',
  '__builtin__.object',
]);

/** Globals of a file called `name`; `persistent` finds its storages. A global that is not known is refused by its name. */
export const torchGlobals = (name: string, persistent: (id: unknown) => unknown): Globals => ({
  persistent,
  global(module, global) {
    const full = `${module}.${global}`;
    if (Object.hasOwn(functions, full)) return functions[full];
    if (/^torch(\.cuda|\.storage)?$/.test(module) && Object.hasOwn(storages, global))
      return new StorageClass(storages[global]);
    if (module === 'torch' && Object.hasOwn(elements, global)) return new ElementClass(elements[global]);
    // The class of a tensor in PyTorch 0.1's files, whose storage says the same.
    const oldTensor = /^torch(\.cuda)?$/.test(module) && /^[A-Z][A-Za-z0-9]*Tensor$/.test(global);
    if (oldTensor || inert.has(full)) return lookedAt(full);
    // Classes of a TorchScript file have no code in Python at all: what they hold is their state.
    if (module.startsWith('__torch__')) return lookedAt(full);
    throw refusal(name, full);
  },
});

function refusal(name: string, global: string): CotuneError {
  if (/^torch\._utils\._rebuild_(qtensor|sparse)/.test(global))
    return new CotuneError(
      'bad-input',
      `${name} holds quantized or sparse tensors (${global}).`,
      'Add the network as it was before it was quantized.',
    );
  const whole = /(^|\.)(models?|nn|networks?|timm|torchvision|ultralytics|transformers)\./.test(global);
  return new CotuneError(
    'bad-input',
    `${name} asks for Python's ${global}, which is not among what weights need: nothing of it was executed.`,
    whole
      ? 'It holds a whole program object. Load it where you trust it and save its weights: torch.save(model.state_dict(), …).'
      : 'If you trust its origin, load it in Python and save the weights alone: torch.save(model.state_dict(), …).',
  );
}

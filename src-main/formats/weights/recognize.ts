import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { CotuneError } from '../../../src-shared/errors.ts';
import { foreignText } from '../foreign-text.ts';

/** Weights files that are read here. */
export type WeightsFormat =
  | 'safetensors'
  | 'safetensors-index'
  | 'torch-zip'
  | 'torch-legacy'
  | 'torch-tar'
  | 'onnx';

/** The beginning of a file. */
interface Head {
  bytes: Uint8Array;
  /** The same as Latin-1 text. */
  text: string;
  /** Bytes of the whole file. */
  size: number;
}

/** A kind of file that people take for weights, recognized by its content; `what` and `hint` where it is not read. */
type Kind = { is: (head: Head) => boolean } & ({ format: WeightsFormat } | { what: string; hint: string });

const headBytes = 4096;
const unpack = 'Unpack it and add the weights file inside.';
const fromTensorflow =
  'Export the weights from Python: torchvision’s, timm’s and Hugging Face’s networks can be saved as .safetensors.';
const known = 'Known: safetensors, PyTorch (.pth, .pt, .bin, .th, .tar) and ONNX.';

const at =
  (offset: number, ...texts: string[]) =>
  ({ text }: Head): boolean =>
    texts.some((wanted) => text.startsWith(wanted, offset));
const begins = (...texts: string[]) => at(0, ...texts);
const both =
  (one: (head: Head) => boolean, other: (head: Head) => boolean) =>
  (head: Head): boolean =>
    one(head) && other(head);
const holds =
  (pattern: RegExp) =>
  ({ text }: Head): boolean =>
    pattern.test(text);

const zip = begins('PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08');
const tar = at(257, 'ustar');
const jsonObject = holds(/^\s*\{/);
/** The magic number with which PyTorch's files of before 2020 begin, pickled in any protocol. */
const torchMagic = '\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.';

/** The first that fits is what a file is. */
const kinds: readonly Kind[] = [
  { is: ({ size }) => size === 0, what: 'an empty file', hint: 'Download or export it again.' },
  {
    is: ({ bytes }) => bytes.every((byte) => byte === 0),
    what: 'nothing but zeros',
    hint: 'Download it again.',
  },
  { is: both(at(8, '{'), (head) => !isText(head.bytes.subarray(0, 8))), format: 'safetensors' },
  {
    is: both(zip, holds(/\/data\.pkl|^.{30}data\.pkl|\/\.data\/serialization_id|\/constants\.pkl/s)),
    format: 'torch-zip',
  },
  {
    is: both(zip, holds(/config\.json|model\.weights\.h5/)),
    what: 'a Keras model (.keras)',
    hint: fromTensorflow,
  },
  { is: both(zip, holds(/\.npy/)), what: 'a NumPy archive (.npz)', hint: fromTensorflow },
  { is: zip, what: 'a zip archive', hint: unpack },
  { is: both(begins('\x80'), at(2, torchMagic)), format: 'torch-legacy' },
  {
    is: both(tar, begins('sys_info\0', 'pickle\0', 'storages\0', 'tensors\0', './sys_info\0', './pickle\0')),
    format: 'torch-tar',
  },
  { is: tar, what: 'a tar archive', hint: unpack },
  { is: begins('\x1f\x8b'), what: 'a gzip archive', hint: unpack },
  { is: begins('BZh'), what: 'a bzip2 archive', hint: unpack },
  { is: begins('\xfd7zXZ\0'), what: 'an xz archive', hint: unpack },
  { is: begins('\x28\xb5\x2f\xfd'), what: 'a zstd archive', hint: unpack },
  { is: begins('7z\xbc\xaf\x27\x1c'), what: 'a 7-Zip archive', hint: unpack },
  { is: begins('Rar!'), what: 'a RAR archive', hint: unpack },
  { is: begins('\x89HDF\r\n\x1a\n'), what: 'an HDF5 file, as Keras writes it', hint: fromTensorflow },
  { is: at(4, 'TFL3'), what: 'a TensorFlow Lite model', hint: fromTensorflow },
  { is: begins('\x08\x01\x12'), what: 'a TensorFlow SavedModel', hint: fromTensorflow },
  {
    is: begins('GGUF', 'lmgg', 'tjgg', 'fmgg'),
    what: 'a GGUF file, as llama.cpp reads it',
    hint: known,
  },
  { is: begins('\x93NUMPY'), what: 'a single NumPy array (.npy)', hint: known },
  { is: begins('MATLAB 5.0'), what: 'a MATLAB file', hint: known },
  { is: begins('%PDF'), what: 'a PDF document', hint: known },
  { is: begins('\xff\xd8\xff', '\x89PNG', 'GIF8', 'BM'), what: 'an image', hint: known },
  { is: both(begins('RIFF'), at(8, 'WEBP')), what: 'an image', hint: known },
  { is: begins('\x7fELF', 'MZ'), what: 'a program', hint: known },
  { is: both(jsonObject, holds(/"weight_map"/)), format: 'safetensors-index' },
  {
    is: both(jsonObject, holds(/"(modelTopology|weightsManifest)"/)),
    what: 'a TensorFlow.js model',
    hint: fromTensorflow,
  },
  {
    is: both(jsonObject, holds(/"(model_type|architectures|architecture|_class_name)"/)),
    what: 'a network’s configuration, not its weights',
    hint: 'Name the weights beside it, often model.safetensors or pytorch_model.bin.',
  },
  { is: ({ bytes }) => isOnnx(bytes), format: 'onnx' },
  {
    is: both(begins('\n'), holds(/Placeholder|VariableV2|Const/)),
    what: 'a frozen TensorFlow graph (.pb)',
    hint: fromTensorflow,
  },
  {
    is: begins('\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05', '(dp0', '(lp0', 'ccopy_reg', 'cnumpy'),
    what: 'a Python pickle that PyTorch did not write',
    hint: 'Load it in Python, where you trust it, and save the weights with safetensors.torch.save_file.',
  },
  { is: ({ bytes }) => isText(bytes), what: 'a text file', hint: known },
];

/**
 * ModelProto of onnx.proto: ir_version (field 1, a small number), then a field of the strings, numbers or messages that it has.
 * 1 is TensorFlow's saved models.
 */
const isOnnx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x08 &&
  bytes[1] > 1 &&
  bytes[1] <= 32 &&
  [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72].includes(bytes[2]);

const isText = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13);

/**
 * Which kind of weights file a file is, told by its content alone. Throws `bad-input` saying what it is and what to do where
 * it is none that is read here, `not-found` where there is nothing.
 */
export function recognizeWeights(path: string, name = path): WeightsFormat {
  const head = readHead(path, name);
  const refuse = (what: string, hint: string) => new CotuneError('bad-input', `${name} is ${what}.`, hint);
  const foreign = foreignText(head.bytes);
  if (foreign) throw refuse(foreign.what, foreign.hint);
  const kind = kinds.find(({ is }) => is(head));
  if (!kind)
    throw refuse(
      head.size < 100
        ? `no weights file: it has ${head.size} bytes`
        : 'none of the weights files that are read here',
      `${known} Where it should be one of these, download it again.`,
    );
  if ('what' in kind) throw refuse(kind.what, kind.hint);
  return kind.format;
}

function readHead(path: string, name: string): Head {
  const stat = statOf(path, name);
  if (stat.isDirectory()) throw folder(path, name);
  // Asked before it is opened: a pipe would keep us waiting.
  if (!stat.isFile()) throw new CotuneError('bad-input', `${name} is no ordinary file.`, known);
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(Math.min(stat.size, headBytes));
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return { bytes: bytes.subarray(0, length), text: Buffer.from(bytes).toString('latin1'), size: stat.size };
  } finally {
    closeSync(file);
  }
}

function statOf(path: string, name: string) {
  try {
    return statSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CotuneError(
      code === 'ENOENT' ? 'not-found' : 'bad-input',
      code === 'ENOENT' ? `There is no file ${name}.` : `${name} cannot be read: ${message}.`,
      `Name a weights file. ${known}`,
      { cause: error },
    );
  }
}

function folder(path: string, name: string): CotuneError {
  const names = readdirSync(path);
  if (names.includes('saved_model.pb'))
    return new CotuneError('bad-input', `${name} is a TensorFlow SavedModel.`, fromTensorflow);
  const weights = names.filter((name) =>
    /\.(safetensors|safetensors\.index\.json|pth|pt|th|bin|onnx)$/i.test(name),
  );
  const first = weights.find((name) => name.endsWith('.index.json')) ?? weights[0];
  return new CotuneError(
    'bad-input',
    `${name} is a folder.`,
    first ? `Name the weights file inside, e.g. ${first}.` : `Name a weights file. ${known}`,
  );
}

import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Matrix } from '../../src-shared/matrix.ts';

/**
 * NumPy's .npy format: the 6 bytes `\x93NUMPY`, a version, the header's length (2 bytes in version 1, 4 after), a
 * Python dict literal {'descr', 'fortran_order', 'shape'}, then the elements.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * Bounds kept here, so that a hostile file costs an error and nothing more: plain numbers only (object arrays hold
 * pickled code), a header of at most 64 KiB with exactly those three keys, a file exactly as long as its shape says.
 */
const maxHeaderBytes = 65_536;

export interface NpyArray {
  /** Lengths of the axes; [] for a single number. */
  shape: number[];
  /**
   * The elements in C order: where they lie in the file, if they are floats in the processor's order, else float64. Every supported
   * type fits it exactly; larger integers than 2⁵³ are refused.
   */
  data: Matrix['data'];
  /** Whether the file held integers or booleans. */
  integral: boolean;
}

interface ElementType {
  bytes: number;
  integral: boolean;
  read(view: DataView, offset: number, little: boolean): number;
}

const elementTypes: Record<string, ElementType> = {
  f2: { bytes: 2, integral: false, read: (view, at, little) => halfToNumber(view.getUint16(at, little)) },
  f4: { bytes: 4, integral: false, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, integral: false, read: (view, at, little) => view.getFloat64(at, little) },
  i1: { bytes: 1, integral: true, read: (view, at) => view.getInt8(at) },
  i2: { bytes: 2, integral: true, read: (view, at, little) => view.getInt16(at, little) },
  i4: { bytes: 4, integral: true, read: (view, at, little) => view.getInt32(at, little) },
  i8: { bytes: 8, integral: true, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u1: { bytes: 1, integral: true, read: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, integral: true, read: (view, at, little) => view.getUint16(at, little) },
  u4: { bytes: 4, integral: true, read: (view, at, little) => view.getUint32(at, little) },
  u8: { bytes: 8, integral: true, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  b1: { bytes: 1, integral: true, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
};

/** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Parses a whole .npy file. `name` is how errors call it. Throws `bad-input` naming what is wrong. */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const refuse = (what: string, hint = 'Save the array again with numpy.save.') =>
    new CotuneError('bad-input', `${name} is not a readable .npy array: ${what}.`, hint);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || latin1(bytes.subarray(0, 6)) !== '\x93NUMPY')
    throw refuse('it does not begin with the NumPy signature');
  const version = bytes[6];
  if (version < 1 || version > 3) throw refuse(`its format version is ${version}, not 1, 2 or 3`);
  const start = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > maxHeaderBytes || start + headerLength > bytes.length)
    throw refuse(`its header claims ${headerLength} bytes of a file of ${bytes.length}`);

  const { descr, fortran, shape } = parseHeader(latin1(bytes.subarray(start, start + headerLength)), refuse);
  const type = elementTypes[descr.slice(1)];
  if (!type || !'<>|='.includes(descr[0]))
    throw refuse(
      `its element type is '${descr}'`,
      'Only real numbers are read: float16/32/64, integers and booleans.',
    );
  const count = shape.reduce((product, length) => product * length, 1);
  const expected = start + headerLength + count * type.bytes;
  if (expected !== bytes.length)
    throw refuse(
      `its shape (${shape.join(', ')}) of ${type.bytes}-byte elements needs ${expected} bytes, the file has ${bytes.length}`,
    );

  const from = start + headerLength;
  let data: Matrix['data'] | undefined = floatsWhereTheyLie(bytes, descr, from, count);
  if (!data) {
    data = new Float64Array(count);
    const little = descr[0] !== '>';
    for (let i = 0; i < count; i++) data[i] = type.read(view, from + i * type.bytes, little);
  }
  if (type.integral && type.bytes === 8) {
    const unsafe = data.findIndex((value) => !Number.isSafeInteger(value));
    if (unsafe >= 0) throw refuse(`element ${unsafe} is beyond ±2⁵³`);
  }
  return { shape, data: fortran ? toRowMajor(data, shape) : data, integral: type.integral };
}

/** A view of `count` floats, or undefined where they are others, in another order, or lie between words. */
function floatsWhereTheyLie(
  { buffer, byteOffset }: Uint8Array,
  descr: string,
  from: number,
  count: number,
): Matrix['data'] | undefined {
  const of = endianness() === 'LE' ? { '<f4': Float32Array, '<f8': Float64Array }[descr] : undefined;
  if (!of || (byteOffset + from) % of.BYTES_PER_ELEMENT !== 0) return undefined;
  return new of(buffer as ArrayBuffer, byteOffset + from, count);
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** The three entries of the header's dict literal; anything besides them is refused rather than evaluated. */
function parseHeader(text: string, refuse: (what: string, hint?: string) => CotuneError) {
  const entry = /'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d,\s]*\))\s*(,|(?=\}))\s*/y;
  const open = /^\s*\{\s*/.exec(text);
  const found = new Map<string, string>();
  entry.lastIndex = open ? open[0].length : 0;
  let end = entry.lastIndex;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    if (found.has(match[1])) throw refuse(`its header names '${match[1]}' twice`);
    found.set(match[1], match[2]);
    end = entry.lastIndex;
  }
  const descr = /^'([^']+)'$/.exec(found.get('descr') ?? '')?.[1];
  const fortran = found.get('fortran_order');
  const tuple = /^\(([\d,\s]*)\)$/.exec(found.get('shape') ?? '')?.[1];
  if (
    !open ||
    !/^\}\s*$/.test(text.slice(end)) ||
    !descr ||
    tuple === undefined ||
    !/^(True|False)$/.test(fortran ?? '')
  )
    throw refuse(
      "its header is not a dict of a plain 'descr', 'fortran_order' and 'shape'",
      'Object and structured arrays are not read; save a plain array of numbers.',
    );
  const shape = tuple
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);
  if (shape.length > 32 || !shape.every(Number.isSafeInteger)) throw refuse('its shape is beyond bounds');
  return { descr, fortran: fortran === 'True', shape };
}

/** Reorders elements in which the first axis varies fastest into those in which the last does. */
function toRowMajor(data: Matrix['data'], shape: number[]): Matrix['data'] {
  const out = data.slice();
  const index = shape.map(() => 0);
  for (let from = 0; from < data.length; from++) {
    out[index.reduce((offset, i, axis) => offset * shape[axis] + i, 0)] = data[from];
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return out;
}

/** Reads a .npy file. Throws `not-found` or `bad-input`, naming the file. */
async function readNpy(path: string): Promise<NpyArray> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT';
    throw new CotuneError(
      missing ? 'not-found' : 'bad-input',
      missing ? `There is no file ${path}.` : `${path} cannot be read: ${cause.message}.`,
      'Give the path of a .npy file.',
      { cause },
    );
  });
  return parseNpy(bytes, path);
}

/** Reads a two-dimensional .npy file of any real type. Throws `not-found` or `bad-input`, naming the file. */
export async function readNpyMatrix(path: string): Promise<Matrix> {
  const { shape, data } = await readNpy(path);
  if (shape.length !== 2)
    throw new CotuneError(
      'bad-input',
      `${path} has ${shape.length} axes (shape ${JSON.stringify(shape)}); a matrix has two.`,
      'Save one row per image and one column per class.',
    );
  return { data, rows: shape[0], columns: shape[1] };
}

/** Reads a one-dimensional .npy file of class indices. Throws `not-found` or `bad-input`, naming the file. */
export async function readNpyLabels(path: string): Promise<Int32Array> {
  const { shape, data, integral } = await readNpy(path);
  const outside = data.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= 2 ** 31);
  if (shape.length !== 1 || !integral || outside >= 0)
    throw new CotuneError(
      'bad-input',
      outside >= 0 && shape.length === 1
        ? `${path}: element ${outside} is ${data[outside]}, not a class index.`
        : `${path} is not a list of class indices: it holds ${integral ? 'integers' : 'floating-point numbers'} of shape ${JSON.stringify(shape)}.`,
      'Save the labels as a one-dimensional integer array, classes counted from 0.',
    );
  return Int32Array.from(data);
}

/** The bytes of a version 1.0 file, little-endian: `data` in C order, in its own precision. */
export function writeNpy({
  shape,
  data,
}: {
  shape: number[];
  data: Float32Array | Float64Array;
}): Uint8Array {
  const double = data instanceof Float64Array;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '<f${double ? 8 : 4}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Padded so that the elements begin at a multiple of 64 bytes, as the format asks.
  const header = dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11) + '\n';
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
  const view = new DataView(bytes.buffer);
  view.setUint16(8, header.length, true);
  bytes.set(Buffer.from(header, 'latin1'), 10);
  const start = 10 + header.length;
  for (let i = 0; i < data.length; i++)
    if (double) view.setFloat64(start + i * 8, data[i], true);
    else view.setFloat32(start + i * 4, data[i], true);
  return bytes;
}

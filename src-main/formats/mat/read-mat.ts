import { inflateSync } from 'node:zlib';
import { DamagedFile } from '../file-bytes.ts';
import { type Element, type Endian, elementsOf, numbersOf, readElement, types } from './elements.ts';

/** An array of a MATLAB file. Values stand column by column, as MATLAB has them. */
export type MatValue =
  | { kind: 'numbers'; dims: number[]; values: ArrayLike<number> }
  /** Each row of a character array, trailing blanks included. */
  | { kind: 'text'; rows: string[] }
  | { kind: 'cells'; dims: number[]; cells: MatValue[] }
  | { kind: 'structs'; dims: number[]; elements: ReadonlyMap<string, MatValue>[] }
  /** Sparse matrices, objects and function handles: named, not read. */
  | { kind: 'other' };

const maxInflatedBytes = 64 * 2 ** 20;
/** Arrays in all, those in cells and structs included. */
const maxArrays = 2_000_000;
const maxDepth = 16;
const headerBytes = 128;

/** Array classes, by their numbers in the file. */
const classes = { cell: 1, struct: 2, char: 4, firstNumeric: 6, lastNumeric: 15 };

/**
 * The variables of a MAT-file of level 5 (MATLAB 5 to 7, compressed or not), by name. Imaginary parts are left out.
 * Source: MathWorks, «MAT-File Format», R2024a. Throws `DamagedFile` for other levels, for what is cut off or says more than
 * it holds, and beyond 64 MiB of data or 2,000,000 arrays.
 */
export function readMat(bytes: Uint8Array): Map<string, MatValue> {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, headerBytes));
  if (head.startsWith('MATLAB 7.3') || head.startsWith('\x89HDF'))
    throw new DamagedFile('it is a MATLAB 7.3 (HDF5) file; save it in MATLAB with save(…, "-v7")');
  const mark = head.slice(126);
  if (bytes.length < headerBytes || (mark !== 'IM' && mark !== 'MI'))
    throw new DamagedFile('it does not begin as a MAT-file of level 5 does');
  const reader = new MatReader(mark === 'IM');
  const variables = new Map<string, MatValue>();
  for (const element of elementsOf(bytes.subarray(headerBytes), reader.little)) {
    const matrix = element.type === types.compressed ? reader.inflate(element.data) : element;
    if (matrix.type !== types.matrix) continue;
    const { name, value } = reader.array(matrix.data, 0);
    if (name !== '') variables.set(name, value);
  }
  return variables;
}

class MatReader {
  readonly little: Endian;
  #arrays = 0;
  #inflated = 0;

  constructor(little: Endian) {
    this.little = little;
  }

  inflate(data: Uint8Array): Element {
    let bytes: Buffer;
    try {
      bytes = inflateSync(data, { maxOutputLength: maxInflatedBytes - this.#inflated });
    } catch (error) {
      const isLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      throw new DamagedFile(
        isLong ? 'it holds more than 64 MiB of data' : 'its compressed data is damaged or cut off',
        { cause: error },
      );
    }
    this.#inflated += bytes.length;
    return readElement(bytes, 0, this.little).element;
  }

  /** The content of a matrix element. One without any bytes is an empty array. */
  array(data: Uint8Array, depth: number): { name: string; value: MatValue } {
    if (++this.#arrays > maxArrays) throw new DamagedFile('it holds more than 2,000,000 arrays');
    if (depth > maxDepth) throw new DamagedFile('its cells and structs lie too deep inside one another');
    if (data.length === 0) return { name: '', value: { kind: 'numbers', dims: [0, 0], values: [] } };
    const parts = elementsOf(data, this.little);
    const next = (): Element => {
      const { value, done } = parts.next();
      if (done) throw new DamagedFile('an array in it ends too early');
      return value;
    };
    const flags = numbersOf(next(), this.little);
    const dims = Array.from(numbersOf(next(), this.little));
    const name = new TextDecoder('latin1').decode(next().data);
    const kind = flags[0] & 0xff;
    const count = dims.reduce((product, extent) => product * extent, 1);
    if (dims.some((extent) => extent < 0) || !Number.isSafeInteger(count))
      throw new DamagedFile('an array in it has impossible extents');
    if (kind === classes.cell)
      return { name, value: { kind: 'cells', dims, cells: this.#nested(parts, count, depth) } };
    if (kind === classes.struct)
      return { name, value: { kind: 'structs', dims, elements: this.#structs(parts, next, count, depth) } };
    if (kind === classes.char)
      return { name, value: { kind: 'text', rows: rowsOf(next(), dims, this.little) } };
    if (kind < classes.firstNumeric || kind > classes.lastNumeric) return { name, value: { kind: 'other' } };
    const values = numbersOf(next(), this.little);
    if (values.length !== count)
      throw new DamagedFile('an array in it does not have the extents that it names');
    return { name, value: { kind: 'numbers', dims, values } };
  }

  #nested(parts: Iterator<Element>, count: number, depth: number): MatValue[] {
    const arrays: MatValue[] = [];
    for (let i = 0; i < count; i++) {
      const { value: part, done } = parts.next();
      if (done || part.type !== types.matrix) throw new DamagedFile('a cell or struct in it ends too early');
      arrays.push(this.array(part.data, depth + 1).value);
    }
    return arrays;
  }

  #structs(
    parts: Iterator<Element>,
    next: () => Element,
    count: number,
    depth: number,
  ): ReadonlyMap<string, MatValue>[] {
    const [length] = Array.from(numbersOf(next(), this.little));
    const { data } = next();
    if (!(length > 0)) throw new DamagedFile('a struct in it has field names without a length');
    const fields = Array.from({ length: Math.floor(data.length / length) }, (_, index) =>
      new TextDecoder('latin1')
        .decode(data.subarray(index * length, (index + 1) * length))
        .replace(/\0.*$/s, ''),
    );
    if (fields.length === 0) return [];
    const elements: Map<string, MatValue>[] = [];
    for (let i = 0; i < count; i++) {
      const values = this.#nested(parts, fields.length, depth);
      elements.push(new Map(fields.map((field, index) => [field, values[index]])));
    }
    return elements;
  }
}

/** Characters stand column by column, as UTF-8, UTF-16 or numbers of 16 bits. */
function rowsOf(element: Element, dims: readonly number[], little: Endian): string[] {
  const text =
    element.type === types.utf8
      ? new TextDecoder().decode(element.data)
      : Array.from(numbersOf(element, little), (code) => String.fromCharCode(code)).join('');
  const [rows = 0, columns = 0] = dims;
  if (rows <= 1) return rows === 0 ? [] : [text];
  if (text.length !== rows * columns)
    throw new DamagedFile('a text in it does not have the extents that it names');
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => text[column * rows + row]).join(''),
  );
}

import { DamagedFile } from '../file-bytes.ts';

/** Whether numbers stand least significant byte first. */
export type Endian = boolean;

/** A piece of a MAT-file: what kind of numbers it holds, and their bytes. */
export interface Element {
  type: number;
  data: Uint8Array;
}

/** Data types that are more than numbers, by their codes. */
export const types = { matrix: 14, compressed: 15, utf8: 16 };

const getters: Record<number, { bytes: number; get(view: DataView, at: number, little: Endian): number }> = {
  1: { bytes: 1, get: (view, at) => view.getInt8(at) },
  2: { bytes: 1, get: (view, at) => view.getUint8(at) },
  3: { bytes: 2, get: (view, at, little) => view.getInt16(at, little) },
  4: { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  5: { bytes: 4, get: (view, at, little) => view.getInt32(at, little) },
  6: { bytes: 4, get: (view, at, little) => view.getUint32(at, little) },
  7: { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  9: { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
  12: { bytes: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  13: { bytes: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  16: { bytes: 1, get: (view, at) => view.getUint8(at) },
  17: { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
};

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The element that begins at a place, and where the next one does. Up to four bytes of data stand inside the tag. */
export function readElement(
  bytes: Uint8Array,
  at: number,
  little: Endian,
): { element: Element; next: number } {
  if (at + 8 > bytes.length) throw new DamagedFile('it is cut off');
  const view = viewOf(bytes);
  const first = view.getUint32(at, little);
  const small = first >>> 16;
  if (small > 0) {
    if (small > 4) throw new DamagedFile('an element in it says that it is longer than it can be');
    return { element: { type: first & 0xffff, data: bytes.subarray(at + 4, at + 4 + small) }, next: at + 8 };
  }
  const length = view.getUint32(at + 4, little);
  const end = at + 8 + length;
  if (end > bytes.length) throw new DamagedFile('it is cut off, or an element in it is longer than the file');
  const next = first === types.compressed ? end : Math.min(bytes.length, at + 8 + Math.ceil(length / 8) * 8);
  return { element: { type: first, data: bytes.subarray(at + 8, end) }, next };
}

/** Elements one after another, up to the end. */
export function* elementsOf(bytes: Uint8Array, little: Endian): Generator<Element> {
  for (let at = 0; at + 8 <= bytes.length; ) {
    const { element, next } = readElement(bytes, at, little);
    yield element;
    at = next;
  }
}

/** The numbers of an element, whichever way they are stored; integers of 64 bits as the nearest double. */
export function numbersOf({ type, data }: Element, little: Endian): Float64Array {
  const getter = getters[type];
  if (!getter) throw new DamagedFile(`an element in it holds data of an unknown kind (${type})`);
  const view = viewOf(data);
  const values = new Float64Array(Math.floor(data.length / getter.bytes));
  for (let i = 0; i < values.length; i++) values[i] = getter.get(view, i * getter.bytes, little);
  return values;
}

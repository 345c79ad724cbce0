import { type ElementName, elementTypes } from '../element-types.ts';
import { DamagedFile } from '../file-bytes.ts';

/** A stretch of elements that tensors are views of, and how its bytes are read. */
export interface TorchStorage {
  dtype: ElementName;
  /** Elements. */
  length: number;
  /** Bytes of elements begin … end, little-endian. Throws `DamagedFile`. */
  read(begin: number, end: number): Uint8Array<ArrayBuffer>;
}

/** A view of a storage: element (i, j, …) is `storage[offset + i·stride[0] + j·stride[1] + …]`. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly dtype: ElementName;

  /** Throws `DamagedFile` where the view leaves its storage, or is so much larger that only an attack would write it. */
  constructor(
    storage: TorchStorage,
    offset: unknown,
    shape: unknown,
    stride: unknown,
    dtype = storage.dtype,
  ) {
    if (
      !isCount(offset) ||
      !isCounts(shape) ||
      !isCounts(stride) ||
      shape.length !== stride.length ||
      shape.length > 16
    )
      throw new DamagedFile('a tensor’s shape makes no sense');
    const count = shape.reduce((product, extent) => product * extent, 1);
    const last =
      count === 0 ? -1 : offset + shape.reduce((sum, extent, axis) => sum + (extent - 1) * stride[axis], 0);
    if (last >= storage.length)
      throw new DamagedFile(`a tensor of shape [${shape}] reaches beyond its ${storage.length} elements`);
    if (count > Math.max(storage.length, 2 ** 20))
      throw new DamagedFile(`a tensor of shape [${shape}] repeats ${storage.length} elements`);
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.stride = stride;
    this.dtype = dtype;
  }

  /** The elements in row-major order. */
  read(): Float32Array {
    const { shape, stride, offset } = this;
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (count === 0) return new Float32Array(0);
    const last = offset + shape.reduce((sum, extent, axis) => sum + (extent - 1) * stride[axis], 0);
    const elements = elementTypes[this.dtype].toFloat32(this.storage.read(offset, last + 1).buffer);
    if (isRowMajor(shape, stride)) return elements;
    const result = new Float32Array(count);
    const index = shape.map(() => 0);
    let from = 0;
    for (let to = 0; to < count; to++) {
      result[to] = elements[from];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += stride[axis];
        if (++index[axis] < shape[axis]) break;
        from -= stride[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return result;
  }
}

export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** Elements as a little-endian machine has them, from a file that a big-endian one wrote. Works in place. */
export function swapBytes(bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  if (width > 1)
    for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}

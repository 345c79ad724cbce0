/** Elements of tensors as safetensors calls them: bytes of each, and how they become float32. */
interface ElementType {
  bytes: number;
  /** `buffer` holds nothing but elements, little-endian. */
  toFloat32(buffer: ArrayBuffer): Float32Array;
}

const from = (elements: ArrayLike<number>): Float32Array => Float32Array.from(elements);

export const elementTypes = {
  F64: { bytes: 8, toFloat32: (buffer) => from(new Float64Array(buffer)) },
  F32: { bytes: 4, toFloat32: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, toFloat32: (buffer) => new Float32Array(new Float16Array(buffer)) },
  // The upper half of a float32.
  BF16: {
    bytes: 2,
    toFloat32: (buffer) =>
      new Float32Array(Uint32Array.from(new Uint16Array(buffer), (word) => word << 16).buffer),
  },
  I64: { bytes: 8, toFloat32: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number) },
  I32: { bytes: 4, toFloat32: (buffer) => from(new Int32Array(buffer)) },
  I16: { bytes: 2, toFloat32: (buffer) => from(new Int16Array(buffer)) },
  I8: { bytes: 1, toFloat32: (buffer) => from(new Int8Array(buffer)) },
  U64: { bytes: 8, toFloat32: (buffer) => Float32Array.from(new BigUint64Array(buffer), Number) },
  U32: { bytes: 4, toFloat32: (buffer) => from(new Uint32Array(buffer)) },
  U16: { bytes: 2, toFloat32: (buffer) => from(new Uint16Array(buffer)) },
  U8: { bytes: 1, toFloat32: (buffer) => from(new Uint8Array(buffer)) },
  BOOL: { bytes: 1, toFloat32: (buffer) => from(new Uint8Array(buffer)) },
} as const satisfies Record<string, ElementType>;

export type ElementName = keyof typeof elementTypes;

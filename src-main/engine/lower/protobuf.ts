const text = new TextEncoder();
/** Most numbers in a graph take one byte: those chunks are shared. */
const singles = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

/** The few protocol-buffer wire types that ONNX uses. https://protobuf.dev/programming-guides/encoding/ */
export class ProtobufWriter {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** A varint field; negative numbers take ten bytes, as int64 fields do. */
  integer(field: number, value: number | bigint): this {
    this.#varint((field << 3) | 0);
    return this.#varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value);
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(bytes);
  }

  /** A length-delimited field: text, bytes or a nested message. */
  bytes(field: number, value: string | Uint8Array | ProtobufWriter): this {
    this.#varint((field << 3) | 2);
    if (value instanceof ProtobufWriter) {
      this.#varint(value.#length);
      for (const chunk of value.#chunks) this.#push(chunk);
      return this;
    }
    const data = typeof value === 'string' ? text.encode(value) : value;
    this.#varint(data.length);
    return this.#push(data);
  }

  toBytes(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }

  #push(chunk: Uint8Array): this {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    return this;
  }

  #varint(value: number | bigint): this {
    if (value < 128) return this.#push(singles[Number(value)]);
    const bytes: number[] = [];
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    return this.#push(Uint8Array.from(bytes));
  }
}

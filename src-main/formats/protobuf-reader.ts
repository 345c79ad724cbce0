import { DamagedFile, type FileBytes } from './file-bytes.ts';

/** One field of a message: its number, and its value or where in the file its bytes lie. */
export type Field = { field: number } & (
  | { wire: 'varint'; value: bigint }
  | { wire: 'fixed'; at: number; length: 4 | 8 }
  | { wire: 'bytes'; at: number; length: number }
);

const windowBytes = 65_536;

/**
 * Fields of a protocol-buffer message in a file, one after another, without reading what lies in them.
 * https://protobuf.dev/programming-guides/encoding/ Throws `DamagedFile`.
 */
export class ProtobufReader {
  readonly file: FileBytes;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(file: FileBytes) {
    this.file = file;
  }

  *fields(begin: number, length: number): Generator<Field> {
    const end = begin + length;
    if (end > this.file.size) throw new DamagedFile('it is cut off');
    for (let at = begin; at < end; ) {
      const [key, afterKey] = this.#varint(at, end);
      const field = Number(key >> 3n);
      switch (Number(key & 7n)) {
        case 0: {
          const [value, after] = this.#varint(afterKey, end);
          yield { field, wire: 'varint', value };
          at = after;
          break;
        }
        case 1:
        case 5: {
          const width = (key & 7n) === 1n ? 8 : 4;
          if (afterKey + width > end) throw new DamagedFile('a field leaves its message');
          yield { field, wire: 'fixed', at: afterKey, length: width };
          at = afterKey + width;
          break;
        }
        case 2: {
          const [size, after] = this.#varint(afterKey, end);
          const bytes = Number(size);
          if (bytes > end - after) throw new DamagedFile('a field leaves its message: it is cut off');
          yield { field, wire: 'bytes', at: after, length: bytes };
          at = after + bytes;
          break;
        }
        default:
          throw new DamagedFile('it holds a field of an unknown kind');
      }
    }
  }

  /** A string of at most 1 MiB. */
  text({ at, length }: { at: number; length: number }): string {
    if (length > 2 ** 20) throw new DamagedFile('it holds a name longer than a megabyte');
    return new TextDecoder().decode(this.file.read(at, length));
  }

  /** Varints packed into a field. */
  varints({ at, length }: { at: number; length: number }): bigint[] {
    const values: bigint[] = [];
    for (let next = at; next < at + length; ) {
      const [value, after] = this.#varint(next, at + length);
      values.push(value);
      next = after;
    }
    return values;
  }

  #varint(at: number, end: number): [bigint, number] {
    let value = 0n;
    for (let i = 0; i < 10 && at + i < end; i++) {
      const byte = this.#byte(at + i);
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return [value, at + i + 1];
    }
    throw new DamagedFile('it holds a number that does not end');
  }

  #byte(at: number): number {
    const index = at - this.#windowAt;
    if (index >= 0 && index < this.#window.length) return this.#window[index];
    this.#window = this.file.read(at, Math.min(windowBytes, this.file.size - at));
    this.#windowAt = at;
    return this.#window[0];
  }
}

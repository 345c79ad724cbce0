/** Writes MAT-files of level 5, as MATLAB saves them: what the tests' datasets are annotated with. */
import { deflateSync } from 'node:zlib';

/** Numbers are written as doubles, texts as character arrays, arrays as 1 × n cells or, of objects, structs. */
export type MatInput = number[] | string | MatInput[] | Record<string, MatInput>[];

export interface MatOptions {
  compressed?: boolean;
  bigEndian?: boolean;
}

export function matFile(
  variables: Record<string, MatInput>,
  { compressed = true, bigEndian = false }: MatOptions = {},
): Buffer {
  const write = new Writer(bigEndian);
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, Platform: GLNXA64');
  header.fill(0, 116, 124);
  write.set16(header, 124, 0x0100);
  header.write(bigEndian ? 'MI' : 'IM', 126);
  const elements = Object.entries(variables).map(([name, value]) => {
    const matrix = write.matrix(name, value);
    if (!compressed) return matrix;
    const packed = deflateSync(matrix);
    return Buffer.concat([write.tag(15, packed.length), packed]);
  });
  return Buffer.concat([header, ...elements]);
}

class Writer {
  readonly #big: boolean;

  constructor(big: boolean) {
    this.#big = big;
  }

  set16(bytes: Buffer, at: number, value: number): void {
    if (this.#big) bytes.writeUInt16BE(value, at);
    else bytes.writeUInt16LE(value, at);
  }

  tag(type: number, length: number): Buffer {
    return this.#int32s([type, length]);
  }

  matrix(name: string, value: MatInput): Buffer {
    const [kind, dims, ...content] = this.#content(value);
    const parts = [
      this.#element(6, this.#int32s([kind, 0])),
      this.#element(5, this.#int32s(dims)),
      this.#element(1, Buffer.from(name, 'latin1')),
      ...content,
    ];
    const body = Buffer.concat(parts);
    return Buffer.concat([this.tag(14, body.length), body]);
  }

  #content(value: MatInput): [number, number[], ...Buffer[]] {
    if (typeof value === 'string') {
      const codes = Buffer.alloc(2 * value.length);
      for (let i = 0; i < value.length; i++) this.set16(codes, 2 * i, value.charCodeAt(i));
      return [4, [1, value.length], this.#element(4, codes)];
    }
    if (value.every((one) => typeof one === 'number')) {
      const numbers = Buffer.alloc(8 * value.length);
      value.forEach((one, index) => {
        if (this.#big) numbers.writeDoubleBE(one, 8 * index);
        else numbers.writeDoubleLE(one, 8 * index);
      });
      return [6, [1, value.length], this.#element(9, numbers)];
    }
    if (value.every((one) => typeof one === 'string' || Array.isArray(one)))
      return [1, [1, value.length], ...value.map((one) => this.matrix('', one as MatInput))];
    const rows = value as Record<string, MatInput>[];
    const fields = Object.keys(rows[0]);
    const names = Buffer.alloc(32 * fields.length);
    fields.forEach((field, index) => {
      names.write(field, 32 * index, 'latin1');
    });
    return [
      2,
      [1, rows.length],
      this.#element(5, this.#int32s([32])),
      this.#element(1, names),
      ...rows.flatMap((row) => fields.map((field) => this.matrix('', row[field]))),
    ];
  }

  #int32s(values: readonly number[]): Buffer {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, index) => {
      if (this.#big) bytes.writeInt32BE(value, 4 * index);
      else bytes.writeInt32LE(value, 4 * index);
    });
    return bytes;
  }

  /** Up to four bytes stand in the tag itself. */
  #element(type: number, data: Buffer): Buffer {
    if (data.length > 0 && data.length <= 4) {
      const small = Buffer.alloc(8);
      data.copy(small, 4);
      const first = this.#int32s([(data.length << 16) | type]);
      first.copy(small);
      return small;
    }
    return Buffer.concat([this.tag(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
  }
}

/** TIFF files made for tests: uncompressed, one strip, little-endian, any kind of number. */

type Values = Uint8Array | Uint16Array | Int16Array | Uint32Array | Float32Array | Float64Array;

/** A TIFF of `values`, row by row, `channels` each. `extra`: what the channels beyond the colors are. */
export function tiff(
  width: number,
  height: number,
  channels: number,
  values: Values,
  { photometric = channels >= 3 ? 2 : 1, extra = [] as number[] } = {},
): Buffer {
  const format =
    values instanceof Float32Array || values instanceof Float64Array
      ? 3
      : values instanceof Int16Array
        ? 2
        : 1;
  const repeated = (value: number) => Array<number>(channels).fill(value);
  const pixels = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const entries: [tag: number, type: 3 | 4, values: number[]][] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, repeated(8 * values.BYTES_PER_ELEMENT)],
    [259, 3, [1]],
    [262, 3, [photometric]],
    [273, 4, [8]],
    [277, 3, [channels]],
    [278, 4, [height]],
    [279, 4, [pixels.length]],
    [284, 3, [1]],
    ...(extra.length > 0 ? [[338, 3, extra] as [number, 3, number[]]] : []),
    [339, 3, repeated(format)],
  ];
  const start = 8 + pixels.length + (pixels.length % 2);
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  const beyond: Buffer[] = [];
  let at = start + directory.length;
  directory.writeUInt16LE(entries.length, 0);
  for (const [index, [tag, type, list]] of entries.entries()) {
    const size = type === 3 ? 2 : 4;
    const bytes = Buffer.alloc(Math.max(4, size * list.length));
    for (const [item, value] of list.entries()) bytes.writeUIntLE(value, item * size, size);
    const entry = 2 + 12 * index;
    directory.writeUInt16LE(tag, entry);
    directory.writeUInt16LE(type, entry + 2);
    directory.writeUInt32LE(list.length, entry + 4);
    if (bytes.length > 4) {
      directory.writeUInt32LE(at, entry + 8);
      beyond.push(bytes);
      at += bytes.length;
    } else bytes.copy(directory, entry + 8);
  }
  const header = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(start, 4);
  return Buffer.concat([header, pixels, Buffer.alloc(pixels.length % 2), directory, ...beyond]);
}

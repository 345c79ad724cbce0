/**
 * Named float32 arrays as one value of a content cache: a length (uint32, little-endian), JSON of that length, `[[name, elements],
 * …]`, padded with spaces so that the numbers, one array after another, begin at a multiple of four bytes.
 */
export function packArrays(arrays: Readonly<Record<string, Float32Array>>): Uint8Array {
  const entries = Object.entries(arrays);
  const json = JSON.stringify(entries.map(([name, values]) => [name, values.length]));
  const header = Buffer.from(json + ' '.repeat((4 - (Buffer.byteLength(json) % 4)) % 4));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([
    length,
    header,
    ...entries.map(([, values]) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}

/** The arrays of a packed value, each in memory of its own. */
export function unpackArrays(packed: Uint8Array): Record<string, Float32Array> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 4 + bytes.readUInt32LE(0);
  const entries = JSON.parse(bytes.toString('utf8', 4, at)) as [string, number][];
  return Object.fromEntries(
    entries.map(([name, elements]) => {
      const values = new Float32Array(elements);
      bytes.copy(new Uint8Array(values.buffer), 0, at, at + values.byteLength);
      at += values.byteLength;
      return [name, values];
    }),
  );
}

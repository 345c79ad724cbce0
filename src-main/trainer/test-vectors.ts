/**
 * Pictures that anyone can make again from a formula, so that whoever runs an exported network elsewhere can tell whether
 * it is fed as it should be: which of them are wrong says which part of the contract is not kept.
 */
interface TestPicture {
  name: string;
  /** In words and signs that any language has; y, x from 0, c = 0, 1, 2 for red, green, blue, S the side in pixels. */
  formula: string;
  /** What differs when it alone is wrong. */
  tells: string;
  value(y: number, x: number, c: number, size: number): number;
}

export const testPictures: readonly TestPicture[] = [
  {
    name: 'gray',
    formula: '127',
    tells: 'the range or the normalization',
    value: () => 127,
  },
  {
    name: 'red',
    formula: '255 where c = 0, else 0',
    tells: 'the order of the channels',
    value: (_, __, c) => (c === 0 ? 255 : 0),
  },
  {
    name: 'rows',
    formula: 'floor(255 · y / (S − 1))',
    tells: 'the order of height and width',
    value: (y, _, __, size) => Math.floor((255 * y) / (size - 1)),
  },
  {
    name: 'squares',
    formula: '255 where floor(y / 8) + floor(x / 8) + c is even, else 0',
    tells: 'the layout of the tensor',
    value: (y, x, c) => ((Math.floor(y / 8) + Math.floor(x / 8) + c) % 2 === 0 ? 255 : 0),
  },
  {
    name: 'texture',
    formula: '(7·y·y + 13·x·y + 29·x + 83·c) mod 256',
    tells: 'the arithmetic of the network',
    value: (y, x, c) => (7 * y * y + 13 * x * y + 29 * x + 83 * c) % 256,
  },
];

/** The pictures as one batch [pictures, size, size, 3], values 0 … 255. */
export function testBatch(size: number): Float32Array {
  const batch = new Float32Array(testPictures.length * size * size * 3);
  let at = 0;
  for (const { value } of testPictures)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) for (let c = 0; c < 3; c++) batch[at++] = value(y, x, c, size);
  return batch;
}

import type { Dice } from './dice.ts';

const marks = [0, 1, 2, 0x7f, 0x80, 0xff];
const numbers = [
  '-1',
  '0',
  '1e308',
  '9007199254740993',
  '4294967296',
  'null',
  '""',
  '[]',
  '{}',
  '"__proto__"',
  'NaN',
];

/** A file like `seed` with one to four things wrong with it, of the kinds that damage and malice make. */
export function mutate(seed: Buffer, others: readonly Buffer[], random: Dice): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  for (let changes = 1 + random.below(4); changes > 0; changes--)
    bytes = random.pick(mutations)(bytes, others, random);
  return bytes;
}

type Mutation = (bytes: Buffer, others: readonly Buffer[], random: Dice) => Buffer;

/** Most of what decides how a file is read stands at its beginning, and a ZIP's at its end. */
function place(bytes: Buffer, random: Dice): number {
  const near = Math.min(bytes.length, 256);
  const where = random.below(3);
  if (where === 0) return random.below(near + 1);
  return where === 1 ? bytes.length - random.below(near + 1) : random.below(bytes.length + 1);
}

const mutations: Mutation[] = [
  function flip(bytes, _, random) {
    if (bytes.length > 0) bytes[Math.min(place(bytes, random), bytes.length - 1)] ^= 1 << random.below(8);
    return bytes;
  },
  function mark(bytes, _, random) {
    const at = place(bytes, random);
    return bytes.fill(random.pick(marks), at, Math.min(at + random.pick([1, 2, 4, 8]), bytes.length));
  },
  function cut(bytes, _, random) {
    return Buffer.from(bytes.subarray(0, place(bytes, random)));
  },
  function drop(bytes, _, random) {
    const at = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
  },
  function repeat(bytes, _, random) {
    const at = place(bytes, random);
    const piece = bytes.subarray(at, at + 1 + random.below(64));
    return Buffer.concat([
      bytes.subarray(0, at),
      ...Array(1 + random.below(40)).fill(piece),
      bytes.subarray(at),
    ]);
  },
  function splice(bytes, others, random) {
    const other = random.pick(others);
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
  },
  /** In text: a number, a name or a nesting that its reader does not expect. */
  function number(bytes, _, random) {
    const text = bytes.toString('latin1');
    const found = [...text.slice(0, 20_000).matchAll(/\d+|"[^"]{0,40}"/g)];
    if (found.length === 0) return bytes;
    const { 0: old, index } = random.pick(found);
    return Buffer.from(
      text.slice(0, index) + random.pick(numbers) + text.slice(index + old.length),
      'latin1',
    );
  },
  function nest(bytes, _, random) {
    const at = place(bytes, random);
    const deep = random.pick(['[', '{"a":', '(', '- ', '&a [*a,', '<']).repeat(10 ** (1 + random.below(4)));
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(deep), bytes.subarray(at)]);
  },
];

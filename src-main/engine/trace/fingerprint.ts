import { createHash } from 'node:crypto';
import type { Trace, Value } from './ir.ts';

/**
 * SHA-256 of everything that a lowered graph follows from: kernels in their order with their attributes, which value goes
 * where, constants, and the shapes and types of all of it. Two traces of one program have the same.
 */
export function fingerprint({ inputs, nodes, state, outputs, diagnosis }: Trace): string {
  const hash = createHash('sha256');
  const add = (part: unknown) => hash.update(JSON.stringify(part, exactly));
  // Values count on from trace to trace: here they are numbered anew, in the order in which they are met.
  const numbers = new Map<Value, number>();
  const numberOf = (value: Value): number => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(value, number);
    const { kind, shape, dtype } = value;
    add([kind, shape, dtype, kind === 'input' ? [value.role, value.name] : null]);
    if (kind === 'constant') hash.update(value.data);
    return number;
  };
  const named = (values: Iterable<[string, Value]>) =>
    Array.from(values, ([name, value]) => [name, numberOf(value)]);

  add(inputs.map(numberOf));
  for (const { kernel, inputs: taken, attrs, outputs: made } of nodes)
    add([kernel, named(Object.entries(taken)), attrs, made.map(numberOf)]);
  add([named(state), named(outputs), named(diagnosis)]);
  return hash.digest('hex');
}

/** JSON has one word for NaN and both infinities, none for -0, and leaves functions out. */
function exactly(_key: string, value: unknown): unknown {
  if (typeof value === 'function')
    throw new Error('A kernel with a function as attribute has no fingerprint.');
  const isSpecial = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
  return isSpecial ? { number: Object.is(value, -0) ? '-0' : String(value) } : value;
}

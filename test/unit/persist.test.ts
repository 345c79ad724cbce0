import { expect, test } from 'vitest';
import { persist } from '../../src-main/service/persist.ts';
import { CotuneError } from '../../src-shared/errors.ts';

/** A store whose errors pass where they speak of a full disk. */
const store = {
  mayPass: (error: unknown) => (error as Error).message.startsWith('full'),
  explain: (error: unknown) => new CotuneError('unavailable', (error as Error).message),
};
const failing = (...messages: string[]) => {
  const writes: string[] = [];
  const write = () => {
    const message = messages.shift();
    if (message !== undefined) throw new Error(message);
    writes.push('written');
  };
  return { writes, write };
};

test('what cannot be written now is told once for each reason, and written when it can be', async () => {
  const { writes, write } = failing('full', 'full', 'full of other things');
  const told: string[] = [];
  const done = await persist(
    store,
    write,
    ({ message }) => told.push(message),
    () => false,
  );
  expect({ done, writes, told }).toEqual({
    done: true,
    writes: ['written'],
    told: ['full', 'full of other things'],
  });
});

test('a process that closes leaves it at the first failure, but not without a try', async () => {
  const first = failing();
  expect(
    await persist(
      store,
      first.write,
      () => {},
      () => true,
    ),
  ).toBe(true);
  const second = failing('full');
  expect(
    await persist(
      store,
      second.write,
      () => {},
      () => true,
    ),
  ).toBe(false);
  expect(second.writes).toEqual([]);
});

test('a failure that no waiting mends is thrown at once', async () => {
  const { write } = failing('a mistake');
  await expect(
    persist(
      store,
      write,
      () => {},
      () => false,
    ),
  ).rejects.toThrow('a mistake');
});

import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src-main/store/store.ts';
import { newRun } from '../unit/store-rows.ts';
import { type Fixture, makeFixture, open } from './fixture.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeFixture(1);
});
afterEach(() => fixture.remove());

test('damage deep in the database fails the call that meets it, with what to do, and no other', async () => {
  const path = `${fixture.home}/cotune.sqlite`;
  const store = openStore(path);
  const run = store.runs.insert(newRun(store));
  store.transaction(() => {
    for (let step = 0; step < 20_000; step++) store.metrics.insert(run, step, { loss: step });
  });
  store.runs.stopQueued(run);
  store.close();
  const bytes = readFileSync(path);
  bytes.fill(0xab, Math.floor(bytes.length / 2));
  writeFileSync(path, bytes);

  const service = await open(fixture, 'own');
  const error = await service.call('runs.metrics', { run }).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(error.message).toContain('damaged');
  expect(error.hint).toContain('backup');
  expect((await service.call('runs.get', { run })).status).toBe('stopped');
  await service.close();
});

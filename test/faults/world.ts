import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { openService, type Service } from '../../src-main/service/service.ts';
import { openStore } from '../../src-main/store/store.ts';
import type { Run } from '../../src-shared/domain.ts';
import { writeTinyNetwork } from '../browser/tiny-network.ts';
import { type Fixture, fakeTrainer, fill, finishRun, makeFixture, request } from '../contract/fixture.ts';
import { drain } from '../drain.ts';
import type { Figures } from './figures.ts';

const steps = 24;
/** Settings of the runs that are disturbed, and of the undisturbed ones beside which they are held. */
export const runOf = (seed: number) =>
  request({
    steps,
    checkpointEvery: 4,
    evaluateEvery: 8,
    seed,
    method: seed % 2 === 0 ? 'finetune' : 'cotuning',
  });
export const seeds = [0, 1, 2, 3];

/** The same for the real trainer, whose steps take longer. */
const realRunOf = (seed: number) => ({
  ...runOf(seed),
  ...{ steps: 6, checkpointEvery: 2, evaluateEvery: 3, batch: 4, size: 32, engine: 'cpu' as const },
});

/** What a finished run leaves: scores, curves, predictions, weights. */
type Outcome = Record<string, unknown>;

export interface World extends Fixture {
  /** What the run with each seed comes to when nothing disturbs it. */
  expected: Outcome[];
  runOf: typeof runOf;
  openHere(queue?: 'all' | 'own'): Promise<Service>;
}

/** A home with a dataset and a model, and what undisturbed runs on them come to, with the fake trainer or the real one. */
export async function makeWorld(trainer: 'fake' | 'real' = 'fake'): Promise<World> {
  const fixture = await makeFixture();
  if (trainer === 'real') writeTinyNetwork(fixture.weights);
  const spawnTrainer = trainer === 'real' ? forkTrainer() : fakeTrainer;
  const runs = trainer === 'real' ? realRunOf : runOf;
  const openHere = (queue: 'all' | 'own' = 'own') => openService({ home: fixture.home, spawnTrainer, queue });
  const service = await openHere('all');
  await fill(service, fixture);
  const expected: Outcome[] = [];
  for (const seed of seeds) {
    const { id } = await service.call('runs.start', runs(seed));
    await finishRun(service, id);
    expected.push(await outcome(service, fixture.home, id));
  }
  await service.close();
  return { ...fixture, expected, runOf: runs, openHere };
}

const probabilitiesOf = (home: string, file: string | undefined): Buffer | null =>
  file === undefined ? null : readFileSync(join(home, file));

async function outcome(service: Service, home: string, id: number): Promise<Outcome> {
  const { test, val } = await service.call('runs.get', { run: id });
  // How fast it went is no number of the run's.
  const { images_per_s: _, ...curves } = await service.call('runs.metrics', { run: id });
  const store = openStore(join(home, 'cotune.sqlite'));
  const weights = store.runs.record(id)?.weights;
  const predictions = (['val', 'test'] as const).map((split) => ({
    columns: drain(store.predictions.read(id, split)),
    probabilities: probabilitiesOf(home, store.predictions.file(id, split)?.path),
  }));
  const relationshipId = store.runs.get(id)?.relationshipId;
  const relationship = typeof relationshipId === 'number' ? store.relationships.matrix(relationshipId) : null;
  store.close();
  const file = weights ? join(home, weights) : '';
  return {
    test,
    val,
    curves,
    predictions,
    relationship,
    weights: existsSync(file) ? readFileSync(file) : null,
  };
}

/** Goes on with every run that has not finished, to its end, and holds it beside the undisturbed one. */
export async function settle(
  world: World,
  promised: readonly number[],
  figures: Figures,
  when: string,
): Promise<void> {
  const service = await world.openHere().catch((error: Error) => {
    figures.lost.push(`${when}: the home does not open: ${error.message}`);
    return null;
  });
  if (!service) return;
  try {
    const runs = await service.call('runs.list', {});
    for (const id of promised)
      if (!runs.some((run) => run.id === id)) figures.lost.push(`${when}: run ${id} is gone`);
    for (const run of runs) if (promised.includes(run.id)) await finish(service, world, run, figures, when);
  } finally {
    await service.close();
  }
}

async function finish(
  service: Service,
  world: World,
  run: Run,
  figures: Figures,
  when: string,
): Promise<void> {
  let ended = run;
  // Deliberate trouble of the fake trainer ends with the kill: from here on nothing disturbs.
  for (let tries = 0; ended.status !== 'finished' && tries < 3; tries++) {
    await service.call('runs.resume', { run: run.id }).catch(() => {});
    ended = await finishRun(service, run.id);
  }
  if (ended.status !== 'finished') {
    figures.lost.push(`${when}: run ${run.id} cannot be gone on with: ${ended.error?.message}`);
    return;
  }
  const found = await outcome(service, world.home, run.id);
  const expected = world.expected[run.config.seed];
  for (const part of Object.keys(expected))
    if (!isDeepStrictEqual(found[part], expected[part]))
      figures.differing.push(`${when}: ${part} of run ${run.id}`);
}

/**
 * What is found of faults planted in a copy of 100 bird species by an import and a linear probe of a real network: `COTUNE_PLANTED=1`, about
 * five minutes on two processor cores, and the data shared beside the repository.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { openService } from '../../src-main/service/service.ts';
import type { Task } from '../../src-shared/contract.ts';
import type { Finding, FindingKindName } from '../../src-shared/domain.ts';
import { plantFaults } from '../plant.ts';
import { finishRun } from './fixture.ts';

const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
const birds = join(shared, 'datasets/cub100');
const weights = join(shared, 'models/mobilenet_v2.imagenet1k.safetensors');
const asked = process.env.COTUNE_PLANTED === '1' && existsSync(birds) && existsSync(weights);

test.skipIf(!asked)(
  'planted duplicates, wrong labels and a second spelling are found (COTUNE_PLANTED=1, with the shared birds)',
  { timeout: 1_800_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cotune-planted-'));
    const images = join(folder, 'birds');
    const planted = await plantFaults(birds, images);
    const service = await openService({ home: join(folder, 'home'), spawnTrainer: forkTrainer() });
    /** Seconds until a task has ended. */
    const finish = async (start: Promise<Task>) => {
      const began = performance.now();
      const { id } = await start;
      const ended = await new Promise<Task>((done) => {
        service.on('task', (task) => {
          if (task.id === id && task.status !== 'running') done(task);
        });
      });
      expect(ended).toMatchObject({ status: 'finished' });
      return (performance.now() - began) / 1000;
    };
    const findings = async (kind: FindingKindName, limit = 1000): Promise<Finding[]> =>
      (await service.call('datasets.findings', { dataset: 'birds', kind, limit })).findings;
    const pairsOf = (found: readonly Finding[]) =>
      new Set(found.map(({ path, other }) => [path, other].sort().join('\n')));
    try {
      const imported = await finish(service.call('datasets.import', { path: images, name: 'birds' }));
      await service.call('models.add', { path: weights, name: 'mnv2', classesPath: 'imagenet-1k' });
      const { id } = await service.call('runs.start', {
        dataset: 'birds',
        model: 'mnv2',
        method: 'linear-probe',
      });
      const run = await finishRun(service, id, 1_500_000);
      expect(run).toMatchObject({ status: 'finished', suspectsAmong: 'all' });

      const [exact, near, similar, wrong, spellings] = await Promise.all(
        (['exact-duplicate', 'near-duplicate', 'similar', 'wrong-label', 'class-spelling'] as const).map(
          (kind) => findings(kind),
        ),
      );
      const byPixels = pairsOf(near);
      const byEither = pairsOf([...near, ...similar]);
      const key = ([a, b]: [string, string]) => [a, b].sort().join('\n');
      const missed = planted.near.filter(({ pair }) => !byEither.has(key(pair)));
      const wrongPaths = new Set(planted.wrong.map(({ path }) => path));
      const among = (first: number) =>
        wrong.slice(0, first).filter(({ path }) => wrongPaths.has(path)).length;
      console.log(
        JSON.stringify({
          importSeconds: imported,
          probeSeconds: run.timing!.total_s,
          exact: planted.exact.filter((pair) => pairsOf(exact).has(key(pair))).length,
          exactListed: exact.length,
          nearByPixels: planted.near.filter(({ pair }) => byPixels.has(key(pair))).length,
          nearListed: near.length,
          nearByEither: planted.near.length - missed.length,
          similarListed: similar.length,
          missed: missed.map(({ how }) => how),
          wrongAmong: [30, 60, 100, 200].map(among),
          wrongListed: wrong.length,
        }),
      );
      for (const pair of planted.exact) expect(pairsOf(exact)).toContain(key(pair));
      expect(missed).toEqual([]);
      expect(among(60)).toBeGreaterThanOrEqual(24);
      expect(spellings.map(({ path, other }) => [path, other].sort())).toEqual([
        planted.spellings.toSorted(),
      ]);
    } finally {
      await service.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** Two and three processes do everything at once on one home, and one of them is killed in the middle. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { dice } from './dice.ts';
import { type Figures, newFigures } from './figures.ts';
import { startWorker } from './start-worker.ts';
import { makeWorld, runOf, seeds, settle } from './world.ts';

export async function race(
  rounds: number,
  seed: number,
  ms: number,
  tell: (line: string) => void,
): Promise<Figures> {
  const figures = newFigures();
  const random = dice(seed);
  for (let round = 0; round < rounds; round++) {
    const world = await makeWorld();
    world.behave({ stepMs: 3 });
    const count = 2 + (round % 2);
    const workers = Array.from({ length: count }, (_, i) =>
      startWorker(world.home, {
        kind: 'everything',
        seed: seed + 10 * round + i,
        ms,
        requests: seeds.map(runOf),
        path: world.images,
      }),
    );
    await Promise.all(workers.map((worker) => worker.hears('open')));
    await sleep(random.below(ms));
    await workers[0].kill();
    figures.kills++;
    for (const [i, worker] of workers.entries()) {
      const { code, stderr } = await worker.ended;
      if (i > 0 && code !== 0) figures.crashes.push(`race: a service ended by itself (${code}): ${stderr}`);
      figures.crashes.push(...worker.troubles().map((message) => `race: ${message}`));
    }
    const deleted = workers.flatMap((worker) => worker.ids('deleted'));
    const promised = workers.flatMap((worker) => worker.ids('run')).filter((id) => !deleted.includes(id));
    world.behave({});
    await settle(world, promised, figures, 'race');
    const db = new Database(join(world.home, 'cotune.sqlite'));
    const broken = db.pragma('foreign_key_check') as unknown[];
    const integrity = db.pragma('integrity_check', { simple: true });
    db.close();
    if (broken.length > 0 || integrity !== 'ok') figures.lost.push(`race: the database: ${integrity}`);
    tell(`race ${round + 1}/${rounds}: ${count} processes, ${promised.length} runs`);
    world.remove();
  }
  return figures;
}

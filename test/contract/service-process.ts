/** A service in a process of its own, for tests that kill it: opens the home, starts a run, and tells its id. */

import { openService } from '../../src-main/service/service.ts';
import { fakeTrainer, request } from './fixture.ts';

const [home, steps, runs = '1'] = process.argv.slice(2);
const service = await openService({ home, spawnTrainer: fakeTrainer });
for (let seed = 0; seed < Number(runs); seed++) {
  const run = await service.call('runs.start', request({ steps: Number(steps), seed }));
  process.stdout.write(`${run.id}\n`);
}

/**
 * Writes a data folder with something of everything that this version of the program stores, as
 * `test/fixtures/homes/schema-N` (N: the schema's version): what later versions have to upgrade with every row intact.
 * Run once for every released schema: `node_modules/.bin/node test/contract/make-home.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { migrations } from '../../src-main/store/migrations.ts';
import { openStore } from '../../src-main/store/store.ts';
import {
  fill,
  finishRun,
  finishTask,
  makeFixture,
  open,
  reachStep,
  request,
  until,
  writeWeights,
} from './fixture.ts';

const fixture = await makeFixture(5);
const service = await open(fixture);
const start = async (more: Parameters<typeof request>[0]) =>
  (await service.call('runs.start', request(more))).id;

// Datasets: one as it is, one that was imported again without an image, one deleted under a finished run; a failed import.
await fill(service, fixture);
const beetles = join(fixture.root, 'Käfer');
cpSync(fixture.images, beetles, { recursive: true });
await finishTask(service, await service.call('datasets.import', { path: beetles, name: 'Käfer & Co' }));
await finishRun(service, await start({ dataset: 'Käfer & Co', steps: 4 }));
rmSync(join(beetles, 'bee', '0.png'));
await finishTask(service, await service.call('datasets.import', { path: beetles, name: 'Käfer & Co' }));
await finishTask(service, await service.call('datasets.import', { path: fixture.images, name: 'gone' }));
await finishRun(service, await start({ dataset: 'gone', steps: 4 }));
await service.call('datasets.delete', { dataset: 'gone' });
await finishTask(service, await service.call('datasets.import', { path: fixture.root, name: 'odd' }));
mkdirSync(join(fixture.root, 'empty'));
await finishTask(
  service,
  await service.call('datasets.import', { path: join(fixture.root, 'empty'), name: 'empty' }),
);

// Models: one deleted under a finished run, whose successor has its name.
const other = join(fixture.root, 'other.safetensors');
writeWeights(other, 0.25);
await service.call('models.add', { path: other, name: 'other' });
await finishRun(service, await start({ model: 'other', steps: 4 }));
await service.call('models.delete', { model: 'other' });

await finishTask(service, await service.call('models.rank', { dataset: 'insects' }));

// Runs of every status: finished with and without a relationship, failed, stopped, queued, running when its service died.
await finishRun(service, await start({ method: 'cotuning' }));
await finishRun(service, await start({ rate: 0.5, seed: 1 }));
const experiment = await service.call('experiments.start', {
  name: 'seeds',
  dataset: 'insects',
  model: 'tiny',
  methods: ['finetune', 'cotuning'],
  rates: [1],
  seeds: [0, 1],
  config: { steps: 4, checkpointEvery: 5, evaluateEvery: 2 },
});
for (const run of experiment.runs) await finishRun(service, run);
fixture.behave({ at: 12, how: 'failed' });
await finishRun(service, await start({}));
fixture.behave({ stepMs: 20 });
const stopped = await start({ steps: 1000 });
await reachStep(service, stopped, 7);
await service.call('runs.stop', { run: stopped });
await finishRun(service, stopped);
fixture.behave({});
const deleted = await start({ steps: 4 });
await finishRun(service, deleted);
await service.call('runs.delete', { run: deleted });
await service.close();

fixture.behave({ stepMs: 20 });
const program = fileURLToPath(new URL('./service-process.ts', import.meta.url));
const child = spawn(process.execPath, [program, fixture.home, '1000', '2'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const reader = await open(fixture, 'own');
const running = await until(
  async () => (await reader.call('runs.list', { status: 'running' }))[0]?.id ?? undefined,
);
await reachStep(reader, running, 7);
await reader.close();
child.kill('SIGKILL');
await once(child, 'exit');

// What only a real trainer says.
const store = openStore(join(fixture.home, 'cotune.sqlite'));
store.runNotes.insert(running, 'There are no validation images: the weights of the last step are tested.');
store.close();

// Places of this machine out, and the file as small as it gets.
const db = new Database(join(fixture.home, 'cotune.sqlite'));
for (const [table, column] of [
  ['datasets', 'path'],
  ['findings', 'detail'],
  ['models', 'facts'],
  ['runs', 'facts'],
  ['tasks', 'title'],
  ['tasks', 'error'],
])
  db.prepare(`UPDATE ${table} SET ${column} = replace(${column}, ?, '/photos')`).run(fixture.root);
db.pragma('journal_mode = DELETE');
db.pragma('page_size = 1024');
db.exec('VACUUM');
db.pragma('journal_mode = WAL');
db.close();

const folder = fileURLToPath(new URL(`../fixtures/homes/schema-${migrations.length}`, import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const database = readFileSync(join(fixture.home, 'cotune.sqlite'));
writeFileSync(join(folder, 'cotune.sqlite.gz'), gzipSync(database, { level: 9 }));
// Of the files beside it, those whose content the database counts on.
for (const file of globSync('runs/**/*.npy', { cwd: fixture.home })) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  cpSync(join(fixture.home, file), join(folder, file));
}
fixture.remove();

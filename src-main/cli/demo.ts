/** `npm run demo`: the main job on the bundled sample, from drawn pictures to a comparison of methods over seeds. */
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { allRuns } from '../../src-shared/all-runs.ts';
import type { Client, GroupDifference } from '../../src-shared/contract.ts';
import type { RelationshipRow } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { drawImageFolder } from '../sample/draw.ts';
import { agreement, kinOf } from '../sample/kin.ts';
import { sampleFiles } from '../sample/recipe.ts';
import { targetSpecies } from '../sample/species.ts';
import { awaitExperiment } from './await-experiment.ts';
import { awaitTask } from './await-work.ts';
import { openProgress, type Progress } from './progress.ts';
import { groupTable } from './run-tables.ts';
import { type Answer, type CommonOptions, withService } from './session.ts';
import { columns, percent, seconds, table } from './text.ts';

interface DemoOptions extends CommonOptions {
  seeds: number;
  steps: number;
  testPictures: number;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
const dataset = 'sample';
const model = 'sample-network';
const pictures = { seed: 2026, train: 15 };

/** The same for both methods; chosen on pictures of another seed than these. */
const config = { batch: 32, size: 64, learningRate: 0.01, evaluateEvery: 0, checkpointEvery: 0 };

new Command('npm run demo --')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .description(
    'The main job on the bundled sample: learn the relationship, train two methods over seeds, compare.',
  )
  .option('--home <dir>', 'data folder', join(repository, '.cotune', 'demo'))
  .option('--json', 'one JSON document on stdout, nothing else')
  .option('--seeds <n>', 'runs per method', atLeastOne, 5)
  .option('--steps <n>', 'training steps per run', atLeastOne, 60)
  .option('--test-pictures <n>', 'test pictures per category', atLeastOne, 40)
  .action((options: DemoOptions) => withService(options, (client) => demo(client, options)))
  .parseAsync();

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number from 1 up.');
  return Number(text);
}

async function demo(client: Client, options: DemoOptions): Promise<Answer> {
  const started = performance.now();
  const progress = openProgress();
  const path = await drawTargets(options, progress);
  await awaitTask(client, () => client.call('datasets.import', { path, name: dataset }), progress);
  const { weights, classes: classesPath } = sampleFiles;
  await client.call('models.add', { path: weights, name: model, classesPath });
  const learn = () => client.call('relationships.learn', { dataset, model });
  const learned = await awaitTask(client, learn, progress);
  const { rows } = await client.call('relationships.get', { relationship: learned, top: 48 });
  const runs = await trainAll(client, options, progress);

  const comparison = await client.call('runs.compare', { runs: runs.map((run) => run.id) });
  const kin = agreement(rows);
  const spent = (performance.now() - started) / 1000;
  return {
    json: { dataset, model, relationship: learned, kin, comparison, seconds: spent, home: options.home },
    text: [
      `Strongest sources of every target category (* known kin), learned from ${pictures.train} pictures each:`,
      relationshipTable(rows),
      `The strongest source is kin for ${percent(kin.top, 0)} of the targets; ${percent(kin.mass, 0)} of all probability lies on kin.`,
      '',
      groupTable(comparison.groups, comparison.task),
      ...comparison.differences.flatMap((difference) => [difference.verdict, ...reach(difference)]),
      '',
      `All of it took ${seconds(spent)} and is kept. Look at it in the app:`,
      `  npm start -- --home ${shown(options.home)}`,
    ].join('\n'),
  };
}

/** What keeps an undecided comparison from a difference: how wide its interval is, and what would narrow it. */
function reach({ difference: { low, high }, seeds, seedSd }: GroupDifference): string[] {
  if (low > 0 || high < 0 || seedSd === null) return [];
  return [
    `What keeps it open: the difference itself varies by ${points(seedSd)} points from seed to seed, so that ${seeds.length} seeds show a true one from about ${points((high - low) / 2)} points up. More seeds (--seeds) narrow that.`,
  ];
}

/** A share in percentage points, without its sign. */
const points = (share: number): string => (100 * share).toFixed(1);

/** Draws the target set into the home, unless these very pictures are there already. */
async function drawTargets({ home, testPictures }: DemoOptions, progress: Progress): Promise<string> {
  const folder = join(home, 'pictures');
  const stamp = join(home, 'pictures.json');
  const plan = { seed: pictures.seed, counts: { train: pictures.train, test: testPictures } };
  const drawn = JSON.stringify(plan);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === drawn) return folder;
  await rm(folder, { recursive: true, force: true });
  await drawImageFolder(folder, { species: targetSpecies, ...plan }, (done, total) =>
    progress.update('Drawing pictures', done, total),
  );
  await writeFile(stamp, drawn);
  progress.end();
  return folder;
}

/** Runs both methods with every seed, one after another. Errors: `failed` where one does not finish. */
async function trainAll(client: Client, { seeds, steps }: DemoOptions, progress: Progress) {
  const experiment = await client.call('experiments.start', {
    name: 'demo',
    dataset,
    model,
    methods: ['finetune', 'cotuning'],
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    config: { ...config, steps },
  });
  await awaitExperiment(client, experiment, progress, 'experiment');
  const runs = await allRuns(client, { experiment: experiment.id });
  const lost = runs.find((run) => run.status !== 'finished');
  if (lost || runs.length < experiment.runs.length)
    throw new CotuneError(
      'failed',
      lost ? `Run ${lost.id} is ${lost.status}. ${lost.error?.message ?? ''}`.trim() : 'A run was deleted.',
      lost?.error?.hint || 'Run the demo again.',
    );
  return runs.sort((a, b) => a.id - b.id);
}

function relationshipTable(rows: readonly RelationshipRow[]): string {
  const strongest = ({ name: target, sources }: RelationshipRow) =>
    sources
      .slice(0, 3)
      .map(({ name, p }) => `${name}${kinOf(target).includes(name) ? '*' : ''} ${p.toFixed(2)}`);
  return table(
    columns('target', 'first', 'second', 'third'),
    rows.map((row) => [row.name, ...strongest(row)]),
  );
}

/** A path as a person would type it from the repository. */
function shown(home: string): string {
  const near = relative(repository, home);
  const path = near.startsWith('..') ? home : near;
  return path.includes(' ') ? `"${path}"` : path;
}

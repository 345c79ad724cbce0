import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cotune, launcher } from './cli-process.ts';
import { type Fixture, makeFixture } from './fixture.ts';

const commands = [
  ['import'],
  ['models', 'list'],
  ['models', 'add'],
  ['models', 'delete'],
  ['relationship'],
  ['train'],
  ['sweep'],
  ['runs'],
  ['show'],
  ['compare'],
  ['predict'],
  ['export'],
  ['delete'],
  ['serve'],
  ['doctor'],
];

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeFixture();
  const home = ['--home', fixture.home];
  const imported = await cotune(['import', fixture.images, '--name', 'insects', ...home]);
  const added = await cotune(['models', 'add', fixture.weights, '--name', 'tiny', ...home]);
  expect([imported.code, added.code]).toEqual([0, 0]);
});
afterAll(() => fixture.remove());

const atHome = (...args: string[]) => cotune([...args, '--home', fixture.home]);

describe.concurrent('help', () => {
  test.each(commands.map((command) => [command.join(' '), command] as const))(
    'of `%s` names --home and --json and gives examples',
    async (name, command) => {
      const { code, stdout, stderr } = await cotune([...command, '--help']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('--home');
      expect(stdout).toContain('--json');
      const [, examples] = stdout.split('Examples:\n');
      expect(examples).toContain(`cotune ${name.replace(' list', '')}`);
    },
  );
});

describe.concurrent('bad usage exits with 2, and with --json the error is the document, too', () => {
  test.each([
    ['an unknown command', ['imprt'], /Did you mean import/],
    ['an unknown option', ['train', '--methd', 'finetune'], /Did you mean --method/],
    ['a missing argument', ['import'], /path/],
    ['a missing option', ['import', '.'], /--name/],
    ['too many arguments', ['runs', 'x'], /too many/],
    ['a number that is none', ['train', '--steps', 'many'], /not a number/],
    ['a choice that is none', ['train', '--method', 'magic'], /finetune/],
    ['a run that is no number', ['show', 'last'], /cotune runs/],
    ['one run to compare', ['compare', '1'], /two/],
    ['the same run twice', ['compare', '1', '1'], /two/],
    ['no plan', ['sweep'], /PLAN/],
    ['half the arrays', ['relationship', '--train-logits', 'a.npy'], /--train-labels/],
    [
      'arrays and images',
      ['relationship', '--dataset', 'd', '--model', 'm', '--source-scale', '1'],
      /images/,
    ],
    [
      'a matrix file of no known format',
      ['relationship', '--dataset', 'd', '--model', 'm', '--out', 'm.txt'],
      /npy/,
    ],
    ['a method that is missing', ['train', '--dataset', 'insects', '--model', 'tiny'], /--method/],
    ['settings beside --resume', ['train', '--resume', '1', '--lr', '1'], /--lr/],
    ['a port that is none', ['serve', '--port', '70000'], /65535/],
    ['a mean that is none', ['models', 'add', 'x', '--name', 'y', '--mean', '1,2'], /three numbers/],
  ])('%s', async (_, args, about) => {
    const home = args[0] !== 'imprt' ? ['--home', fixture.home] : [];
    const { code, stdout, stderr } = await cotune([...args, ...home, '--json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(about);
    expect(stderr).not.toContain('    at ');
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'bad-input', message: expect.any(String) });
  });
});

test('no command at all prints the help on stderr and exits with 2', async () => {
  const { code, stdout, stderr } = await cotune([]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Usage: cotune');
});

describe.concurrent('a name that is not there exits with 2 and says which there are', () => {
  test.each([
    ['a dataset', ['train', '--dataset', 'insekts', '--model', 'tiny', '--method', 'finetune'], 'insects'],
    ['a model', ['train', '--dataset', 'insects', '--model', 'tinny', '--method', 'finetune'], 'tiny'],
    ['a model to delete', ['models', 'delete', 'tinny'], 'tiny'],
  ])('%s', async (_, args, near) => {
    const { code, stderr } = await atHome(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(`Did you mean "${near}"?`);
  });

  test.each([
    ['show', '9'],
    ['compare', '8', '9'],
    ['delete', '9'],
    ['predict', '9', 'x.png'],
    ['train', '--resume', '9'],
  ])('a run: %s', async (...args) => {
    const { code, stderr } = await atHome(...args);
    expect(code).toBe(2);
    expect(stderr).toContain('cotune runs');
  });

  test('a folder, a weights file', async () => {
    const outcomes = await Promise.all([
      atHome('import', join(fixture.root, 'nowhere'), '--name', 'x'),
      atHome('models', 'add', join(fixture.root, 'nowhere.safetensors'), '--name', 'x'),
    ]);
    for (const { code, stderr } of outcomes) {
      expect(code).toBe(2);
      expect(stderr).toContain('nowhere');
    }
  });
});

describe.concurrent('a settings file', () => {
  const train = (name: string, text: string) => {
    const path = join(fixture.root, name);
    writeFileSync(path, text);
    return atHome('train', '--config', path, '--json');
  };
  const base = 'dataset: insects\nmodel: tiny\nmethod: finetune\n';

  test.each([
    ['unknown names', `${base}metod: cotuning\n`, /"metod" is not a setting/, /Did you mean "method"/],
    ['bad YAML', `${base}lr: [1\n`, /line 5|line 4/, /name: value/],
    ['a list', '- 1\n', /holds no settings/, /name: value/],
    ['a setting given twice', `${base}lr: 1\nlearning_rate: 1\n`, /given twice/, /Keep one/],
    ['a value out of range', `${base}lr: -1\n`, /^"lr" is -1\.$/, /^"lr" has to be above 0\.$/],
    ['a value in other words', `${base}head-lr-mult: -1\n`, /^"head-lr-mult" is -1/, /"head-lr-mult" has to/],
    ['a value of another kind', `${base}steps: many\n`, /steps.*many/, /number/],
  ])('with %s is refused by name', async (name, text, message, hint) => {
    const { code, stdout } = await train(`${name}.yaml`, text);
    expect(code).toBe(2);
    const { error } = JSON.parse(stdout);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('a value that a flag gives is named by the flag, one in a plan as it stands there', async () => {
    const flag = await atHome(
      'train',
      ...'--dataset insects --model tiny --method finetune --lr -1'.split(' '),
    );
    expect([flag.code, flag.stderr]).toEqual([2, '--lr is -1.\n--lr has to be above 0.\n']);
    const path = join(fixture.root, 'wrong plan.yaml');
    writeFileSync(path, 'name: p\ndataset: insects\nmodel: tiny\nmethods: [finetune]\nconfig: { lr: 0 }\n');
    const { code, stderr } = await atHome('sweep', path);
    expect([code, stderr]).toEqual([2, '"lr" is 0.\n"lr" has to be above 0.\n']);
  });

  test('that is not there is named', async () => {
    const { code, stderr } = await atHome('train', '--config', 'nowhere.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('nowhere.yaml');
  });

  test('of a sweep is checked as one', async () => {
    const path = join(fixture.root, 'plan.yaml');
    writeFileSync(
      path,
      'name: p\ndataset: insects\nmodel: tiny\nmethods: [finetune]\nconfig: { stepz: 3 }\n',
    );
    const { code, stderr } = await atHome('sweep', path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/"stepz" is not a setting.\nDid you mean "steps"/);
  });
});

describe('output', () => {
  test('--json is one document on stdout, with snake_case names, and nothing else', async () => {
    const [models, imported, runs] = await Promise.all([
      atHome('models', '--json'),
      atHome('import', fixture.images, '--name', 'insects', '--json'),
      atHome('runs', '--json'),
    ]);
    expect(JSON.parse(models.stdout)).toMatchObject([{ name: 'tiny', source_classes: expect.any(Array) }]);
    expect(JSON.parse(imported.stdout)).toMatchObject({ name: 'insects', classes: ['bee', 'wasp'] });
    expect(JSON.parse(imported.stdout).class_counts).toHaveLength(2);
    expect(JSON.parse(runs.stdout)).toEqual([]);
  });

  test('without a terminal there are no control characters, and progress goes to stderr', async () => {
    const { code, stdout, stderr } = await atHome('import', fixture.images, '--name', 'again');
    expect(code).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    expect(stderr).toContain('again');
    expect(stdout).toMatch(/^again: 2 classes;/);
    expect(stdout).toMatch(/^bee {4} +\d+ +\d+ +\d+$/m);
  });
});

test('a reader that goes away early is no failure', async () => {
  const child = spawn(process.execPath, [launcher, 'models', '--json', '--home', fixture.home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect([code, stderr]).toEqual([0, '']);
});

test('a data folder that cannot be made is an error with what to do, and exits with 1', async () => {
  writeFileSync(join(fixture.root, 'file'), '');
  const { code, stderr } = await cotune(['runs', '--home', join(fixture.root, 'file', 'home')]);
  expect(code).toBe(1);
  expect(stderr).toContain('--home');
});

test('serve prints its URL as one document, serves, and ends gracefully at an interrupt', async (ctx) => {
  if (!existsSync('dist/renderer/index.html')) ctx.skip('the renderer is not built (npm run build)');
  const child = spawn(process.execPath, [launcher, 'serve', '--json', '--home', fixture.home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const url = await new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('}\n')) resolve(JSON.parse(text).url);
    });
  });
  const authorization = `Bearer ${new URL(url).hash.replace('#token=', '')}`;
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(new URL('/access', url), { headers: { authorization } })).status).toBe(204);
  expect((await fetch(new URL('/access', url))).status).toBe(401);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(JSON.parse(text)).toEqual({ url, port: Number(new URL(url).port) });
});

describe('the launcher', () => {
  test('with nothing installed says how to set up', async () => {
    const folder = join(fixture.root, 'clone', 'src-main', 'cli');
    mkdirSync(folder, { recursive: true });
    copyFileSync(launcher, join(folder, 'cotune.mjs'));
    const { code, stderr } = await cotune(['runs'], { launcher: join(folder, 'cotune.mjs') });
    expect(code).toBe(1);
    expect(stderr).toContain('npm run setup');
  });

  test("under a Node that is too old runs under the project's own, with its exit codes", async (ctx) => {
    const old = oldNode();
    if (!old) ctx.skip('no Node older than 24 runs these tests');
    const [fine, bad] = await Promise.all([
      cotune(['--version'], { node: old! }),
      cotune(['imprt'], { node: old! }),
    ]);
    expect([fine.code, bad.code]).toEqual([0, 2]);
    expect(fine.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

/** The Node that started npm, where it is older than the project's own. */
function oldNode(): string | null {
  const path = process.env.npm_node_execpath;
  if (!path) return null;
  const major = Number(execFileSync(path, ['--version'], { encoding: 'utf8' }).slice(1).split('.')[0]);
  return major < 24 ? path : null;
}

import { statSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { CallOutput, SystemReport } from '../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import type { FromTrainer } from '../trainer/protocol.ts';
import type { Context, Handlers } from './context.ts';
import { loadCatalog } from './load-catalog.ts';
import { programVersion } from './program-version.ts';

type Names = Extract<keyof Handlers, `system.${string}` | `tasks.${string}` | `parts.${string}`>;
type Finding = SystemReport['findings'][number];
type Engines = Pick<Extract<FromTrainer, { type: 'engines' }>, 'engines' | 'auto'>;

/** Opening every engine takes seconds; a driver that hangs must not hang the report. */
const enginesTimeout = 60_000;
const GiB = 2 ** 30;

export function systemCalls(context: Context): Handlers<Names> {
  let engines: Promise<Engines> | undefined;
  return {
    'system.report': async () => {
      const findings: Finding[] = [runtimeFinding()];
      engines ??= listEngines(context);
      const listed = await engines.catch((error: unknown) => {
        engines = undefined;
        const { message, hint } = toErrorValue(error);
        findings.push({ level: 'problem', topic: 'engines', text: message, hint });
        return { engines: [], auto: '' };
      });
      if (listed.auto) findings.push({ level: 'ok', topic: 'engine auto', text: listed.auto, hint: '' });
      findings.push(...engineFindings(listed.engines), await spaceFinding(context), databaseFinding(context));
      return { version: programVersion, home: context.home.root, engines: listed.engines, findings };
    },
    'system.listFolder': ({ path }) => listFolder(path),
    'parts.list': loadCatalog,
    'system.device': () => ({ holder: context.device.holder() ?? null }),
    'tasks.list': () => context.store.tasks.list(),
    'tasks.cancel': ({ task }) => {
      context.tasks.cancel(task);
      return { ok: true };
    },
  };
}

/** Asks a process of its own, because opening a broken graphics driver can end the process that tries. */
async function listEngines({ jobs, home }: Context): Promise<Engines> {
  let found: Engines = { engines: [], auto: '' };
  const late = new AbortController();
  const tooLong = new CotuneError(
    'unavailable',
    `Looking for engines took longer than ${enginesTimeout / 1000} s.`,
    'A graphics driver may hang: update it. --engine cpu does not need it.',
  );
  const timer = setTimeout(() => late.abort(tooLong), enginesTimeout);
  const looking = jobs.perform(
    { kind: 'engines', cacheFolder: home.cache },
    {
      hear: (message) => {
        if (message.type === 'engines') found = message;
      },
      signal: late.signal,
      at: () => 'while looking for engines',
    },
  );
  await looking.finally(() => clearTimeout(timer));
  return found;
}

function engineFindings(engines: SystemReport['engines']): Finding[] {
  const findings: Finding[] = engines
    .filter((engine) => !engine.available)
    .map((engine) => ({
      level: engine.name === 'cpu' ? 'problem' : 'info',
      topic: `engine ${engine.name}`,
      text: engine.reason,
      hint: engine.name === 'cpu' ? 'Reinstall the program: its CPU engine is part of it.' : '',
    }));
  const available = engines.filter((engine) => engine.available);
  if (available.length > 0) {
    const names = available.map((engine) => `${engine.name} (${engine.device})`).join(', ');
    findings.unshift({ level: 'ok', topic: 'engines', text: names, hint: '' });
  }
  return findings;
}

const runtimeFinding = (): Finding => ({
  level: 'ok',
  topic: 'runtime',
  text: `Node ${process.versions.node} on ${process.platform} ${process.arch}`,
  hint: '',
});

async function spaceFinding({ home }: Context): Promise<Finding> {
  const { bavail, bsize } = await statfs(home.root);
  const free = bavail * bsize;
  const text = `${home.root}: writable, ${(free / GiB).toFixed(1)} GiB free`;
  if (free < 2 * GiB) {
    const hint =
      'Checkpoints need up to 0.5 GiB a run: free some space, or choose another data folder with --home.';
    return { level: free < GiB / 2 ? 'problem' : 'warning', topic: 'data folder', text, hint };
  }
  return { level: 'ok', topic: 'data folder', text, hint: '' };
}

function databaseFinding({ home }: Context): Finding {
  const mib = statSync(home.database).size / 2 ** 20;
  return { level: 'ok', topic: 'database', text: `${home.database}: ${mib.toFixed(1)} MiB`, hint: '' };
}

/** Folders and importable files below a path (default: the person's home folder), by name, hidden ones left out. */
async function listFolder(path: string): Promise<CallOutput<'system.listFolder'>> {
  const folder = path === '' ? homedir() : resolve(path);
  const found = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const [code, why] =
      error.code === 'ENOENT'
        ? (['not-found', 'does not exist'] as const)
        : error.code === 'ENOTDIR'
          ? (['bad-input', 'is not a folder'] as const)
          : (['unavailable', `cannot be read (${error.code})`] as const);
    throw new CotuneError(code, `${folder} ${why}.`, 'Choose another folder.', { cause: error });
  });
  const isFolder = (entry: (typeof found)[number]) => {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    return statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false;
  };
  const entries = found
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => ({ name: entry.name, path: join(folder, entry.name), folder: isFolder(entry) }))
    .filter(
      (entry) =>
        entry.folder ||
        /\.(safetensors|pth|pt|th|bin|tar|tgz|gz|zip|onnx|jsonl?|txt|csv|tsv|parquet|ya?ml|npy)$/i.test(
          entry.name,
        ),
    )
    .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name));
  const parent = dirname(folder);
  return { path: folder, parent: parent === folder ? null : parent, entries };
}

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { ExperimentPlan, RunRequest, Search } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import type { WrittenNames } from './written-names.ts';

/** What the flags of `cotune train` call some settings. */
const aliases: Record<string, string> = {
  lr: 'learningRate',
  headLrMult: 'headLearningRateMultiplier',
};
const runKeys = Object.keys(RunRequest.shape);
const planKeys = Object.keys(ExperimentPlan.shape);
const searchKeys = Object.keys(Search.shape);

type Settings = Record<string, unknown>;

/**
 * Reads settings of a run from a YAML file: the names of `cotune show --json` under `config`, or those of the flags.
 * Values are checked by the service; `names` gets what the file calls them. Errors: `not-found`, `bad-input` with the file's line,
 * or the unknown name.
 */
export async function readRunSettings(path: string, names: WrittenNames): Promise<Settings> {
  return withOptions(await readYaml(path), path, (name, key) => names.set(name, key));
}

/**
 * Reads an experiment's plan from a YAML file; settings shared by its runs stand under `config`. `usual` is what is not said.
 * Errors as above.
 */
export async function readPlan(path: string, usual: Settings, names: WrittenNames): Promise<ExperimentPlan> {
  const inside = (of: string) => (name: string, key: string) => names.set(of + name, key);
  const plan = { ...usual, ...rename(await readYaml(path), path, planKeys, inside('')) } as Settings;
  if (plan.search === 'off' || plan.search === false) plan.search = null;
  else if (isMapping(plan.search)) plan.search = rename(plan.search, path, searchKeys, inside('search.'));
  if (plan.config !== undefined) {
    if (!isMapping(plan.config))
      throw new CotuneError('bad-input', `${path}: "config" is not a list of "name: value" lines.`);
    plan.config = await withOptions(plan.config, path, inside('config.'));
  }
  return plan as ExperimentPlan;
}

async function readYaml(path: string): Promise<Settings> {
  const text = await readFile(resolve(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new CotuneError('not-found', `There is no file ${path}.`, 'Check the path.')
      : new CotuneError('bad-input', `${path} cannot be read: ${error.message}.`, 'Name a YAML file.');
  });
  const value = parse(text, path);
  if (!isMapping(value))
    throw new CotuneError(
      'bad-input',
      `${path} holds no settings.`,
      'Write one "name: value" a line, e.g. "method: cotuning".',
    );
  return value;
}

const isMapping = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `head_lr_mult`, `head-lr-mult` and `headLrMult` name the same setting. */
const camelCase = (key: string): string =>
  key.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snakeName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Settings of a run, and among them options of parts: `trade_off: 1`, `cotuning.trade_off: 1` or `cotuning: { trade_off: 1 }`. */
async function withOptions(settings: Settings, path: string, named: Named): Promise<Settings> {
  const known = runKeys;
  const { catalog } = await import('../transfer/catalog.ts');
  const parts = Object.values(catalog()).flat();
  const names = parts.flatMap((part) => part.options.map(({ name }) => name));
  const rest: Settings = {};
  const options: Settings = {};
  for (const [key, value] of Object.entries(settings)) {
    const [owner, option] = key.includes('.') ? key.split('.') : [null, key];
    const part = parts.find(({ name }) => name === (owner ?? key));
    if (part && owner === null && isMapping(value) && !known.includes(camelCase(key)))
      for (const [own, chosen] of Object.entries(value)) options[`${key}.${camelCase(own)}`] = chosen;
    else if (part && owner !== null) options[`${owner}.${camelCase(option)}`] = value;
    else if (names.includes(camelCase(key)) && !known.includes(camelCase(key)))
      options[camelCase(key)] = value;
    else rest[key] = value;
  }
  const renamed = rename(rest, path, known, named, names);
  if (Object.keys(options).length === 0) return renamed;
  return { ...renamed, options: { ...(renamed.options as Settings), ...options } };
}

/** A YAML document as plain values. Errors: `bad-input`. */
function parse(text: string, path: string): unknown {
  try {
    const document = parseDocument(text);
    const [error] = document.errors;
    if (error) {
      const [{ line, col }] = error.linePos ?? [{ line: 1, col: 1 }];
      const [what] = error.message.split(/ at line |\n/);
      throw new CotuneError(
        'bad-input',
        `${path}, line ${line}, column ${col}: ${what}.`,
        'Write one "name: value" a line.',
      );
    }
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof CotuneError) throw error;
    // Nested too deep for the parser's stack, or values that refer to each other without end.
    throw new CotuneError(
      'bad-input',
      `${path} cannot be read as YAML: ${(error as Error).message}.`,
      'Write one "name: value" a line.',
      { cause: error },
    );
  }
}

/** Is told what the file calls a setting. */
type Named = (name: string, written: string) => void;

function rename(
  settings: Settings,
  path: string,
  known: string[],
  named: Named,
  more: string[] = [],
): Settings {
  const renamed: Settings = {};
  for (const [key, value] of Object.entries(settings)) {
    const camel = camelCase(key);
    const name = Object.hasOwn(aliases, camel) ? aliases[camel] : camel;
    if (!known.includes(name)) {
      const near = nearest(camel, [...known, ...more, ...(known === runKeys ? Object.keys(aliases) : [])]);
      throw new CotuneError(
        'bad-input',
        `${path}: "${key}" is not a setting.`,
        near ? `Did you mean "${snakeName(near)}"?` : `Settings: ${known.map(snakeName).join(', ')}.`,
      );
    }
    if (name in renamed)
      throw new CotuneError('bad-input', `${path}: "${key}" is given twice.`, 'Keep one of the two.');
    renamed[name] = value;
    named(name, `"${key}"`);
  }
  return renamed;
}

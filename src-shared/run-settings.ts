/** What decided a run's result, setting by setting, whatever settings there are. */
import type { Run, RunConfig } from './domain.ts';
import { methodName } from './parts.ts';
import { settingTitle } from './setting-title.ts';

export interface Setting {
  key: string;
  /** What tells values apart. */
  value: string;
  /** What a person reads. */
  text: string;
}

/** What a run's settings and identity are read from. */
export type SettledRun = Pick<Run, 'id' | 'config' | 'datasetHash' | 'modelHash' | 'engine'>;

/** Names that a person gave, and settings that change what is kept or shown on the way, not what comes out. */
const withoutEffect = new Set(['dataset', 'model', 'preset', 'engine', 'seed', 'checkpointEvery']);

/** Settings of training steps, which say nothing of a run without any. */
export const stepSettings = [
  'steps',
  'batch',
  'learningRate',
  'headLearningRateMultiplier',
  'extras',
  'crop',
  'augment',
  'sampling',
  'optimizer',
  'schedule',
  'evaluateEvery',
  'checkpointEvery',
  'select',
] as const satisfies readonly (keyof RunConfig)[];

/** Places of what is seen of pictures: there where a run is of images. */
type SightSlot = 'resize' | 'crop' | 'augment' | 'sampling' | 'evaluation';
export type ImageRunConfig = RunConfig & Required<Pick<RunConfig, SightSlot>>;

/** The settings of a run of images. */
export function ofImages(config: RunConfig): ImageRunConfig {
  if (!config.resize) throw new Error('This run is of no images.');
  return config as ImageRunConfig;
}

/** Whether a run trains step by step; else its network was solved for, or made from others. */
export const hasSteps = ({ steps }: Pick<RunConfig, 'steps'>): boolean => steps > 0;

/** Everything but the seed that decides the result. Data and network count by content, the engine as the one that ran. */
export function decidingSettings({ config, datasetHash, modelHash, engine }: SettledRun): Setting[] {
  const { method, ...rest } = config;
  const idle = new Set<string>([...withoutEffect, ...(hasSteps(config) ? [] : stepSettings)]);
  if (config.select === 'last') idle.add('evaluateEvery');
  const setting = (key: string, value: unknown): Setting => ({
    key,
    value: JSON.stringify(value),
    text: shown(value),
  });
  return [
    { key: 'dataset', value: datasetHash, text: config.dataset },
    { key: 'model', value: modelHash, text: config.model },
    setting('engine', usedEngine({ config, engine })),
    ...method.flatMap(({ name, ...options }, i, terms) => [
      setting(terms.length > 1 ? `method ${i + 1}` : 'method', name),
      ...Object.entries(options).map(([key, value]) => setting(key, value)),
    ]),
    ...Object.entries(rest).flatMap(([key, value]) => (idle.has(key) ? [] : [setting(key, value)])),
  ];
}

/** The engine that a run used; before it has one, the one that was asked for. */
export const usedEngine = ({ config, engine }: Pick<Run, 'config' | 'engine'>): string =>
  engine?.name ?? config.engine;

/**
 * Settings in which two runs differ, as a person reads them; one that only one side has is «–» on the other. Between a run with
 * training steps and one without, those of the steps are no difference to choose by.
 */
export function configDifferences(a: RunConfig, b: RunConfig): { key: string; a: string; b: string }[] {
  const [inA, inB] = [flat(a), flat(b)];
  if (!hasSteps(a) || !hasSteps(b))
    for (const key of stepSettings) for (const one of [inA, inB]) one.delete(key);
  return [...new Set([...inA.keys(), ...inB.keys()])].flatMap((key) => {
    const [left, right] = [inA.get(key), inB.get(key)];
    return JSON.stringify(left) === JSON.stringify(right) ? [] : [{ key, a: shown(left), b: shown(right) }];
  });
}

/** Settings as a person reads them, those that are not the preset's: `steps 300, size 128`. */
export const configText = (config: object): string =>
  Object.keys(config).length === 0 ? 'the preset’s' : shown(config);

function flat({ method, ...rest }: RunConfig): Map<string, unknown> {
  const options = method.flatMap(({ name: _, ...values }) => Object.entries(values));
  return new Map<string, unknown>([['method', methodName(method)], ...options, ...Object.entries(rest)]);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(', ');
  if (typeof value !== 'object') return String(value);
  const { name, ...options } = value as Record<string, unknown>;
  const inside = Object.entries(options).map(([key, option]) => `${settingTitle(key)} ${shown(option)}`);
  const words = inside.join(', ');
  if (name === undefined) return words || 'none';
  return words ? `${shown(name)} (${words})` : shown(name);
}

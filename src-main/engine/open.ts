import type { EngineChoice, Precision } from '../../src-shared/domain.ts';
import { toErrorValue } from '../../src-shared/errors.ts';
import { candidatesFor, chooseEngine } from './choose.ts';
import { engineVersions, openCpuEngine } from './compiled-engine.ts';
import { openTensorflowEngine } from './eager.ts';
import type { Engine } from './engine.ts';
import { openProviderEngine } from './provider-engine.ts';
import { listAdapters } from './run/adapters.ts';
import { isBuiltIn, providerNames } from './run/providers.ts';
import { processorName } from './run/session.ts';

export interface OpenOptions {
  /** Where measured choices are remembered between processes. */
  cacheFolder?: string;
  /** `mixed` keeps what the forward pass stores for the gradient in half precision; by default `full`. */
  precision?: Precision;
  /** Threads inside one operator of the CPU engine; by default the runtime's choice. */
  threads?: number;
  /** Prefix of the files in which the CPU engine leaves the time of every operator, one per program, at disposal. */
  profile?: string;
}

/** What `listEngines` says about one engine. */
export interface EngineReport {
  name: string;
  available: boolean;
  device: string;
  /** Why it is not available, or what to know about it. */
  reason: string;
  versions: Record<string, string>;
}

/** Opens an engine. Throws `unavailable` with the reason where it cannot run on this machine. */
export async function openEngine(choice: EngineChoice, options: OpenOptions = {}): Promise<Engine> {
  const { precision = 'full', cacheFolder } = options;
  switch (choice) {
    case 'cpu':
      return openCpuEngine(options);
    case 'tensorflow':
      return openTensorflowEngine(precision);
    case 'auto': {
      const adapters = await listAdapters();
      const { engine, reason } = await chooseEngine({
        candidates: candidatesFor(adapters),
        precision,
        machine: JSON.stringify([adapters, processorName(), engineVersions(), precision]),
        cacheFolder,
        open: (name) => openEngine(name, options),
      });
      return reason ? { ...engine, choice: reason } : engine;
    }
    default:
      return openProviderEngine(choice, precision);
  }
}

/** The engines of this platform: whether each works on this machine, on what device, and if not, why. */
export async function listEngines(): Promise<EngineReport[]> {
  const accelerators = providerNames.filter(isBuiltIn);
  const reports: EngineReport[] = [];
  for (const name of ['cpu', ...accelerators, 'tensorflow'] as const) reports.push(await reportOn(name));
  return reports;
}

async function reportOn(name: EngineChoice): Promise<EngineReport> {
  try {
    const engine = await openEngine(name);
    await engine.dispose();
    const { device, versions } = engine.info;
    const reason = device.endsWith('(software)')
      ? 'Draws on the CPU: correct, but slower than the CPU engine; never chosen by itself.'
      : '';
    return { name, available: true, device, reason, versions };
  } catch (error) {
    const { message, hint } = toErrorValue(error);
    const reason = `${message.replace(/[^.]$/, '$&.')} ${hint}`.trim();
    return { name, available: false, device: '', reason, versions: {} };
  }
}

/** What `auto` takes here, with the times that decided; measures where that was not done yet. */
export async function explainChoice(cacheFolder: string): Promise<string> {
  const engine = await openEngine('auto', { cacheFolder });
  await engine.dispose();
  return engine.choice ?? `auto takes ${engine.info.name}: no other engine of this machine could be faster.`;
}

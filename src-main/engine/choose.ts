/** How `auto` finds the fastest engine of a machine. */
import type { Precision } from '../../src-shared/domain.ts';
import { toErrorValue } from '../../src-shared/errors.ts';
import type { Engine, EngineName } from './engine.ts';
import { type Probe, probe } from './probe.ts';
import { recallTimes, rememberTimes } from './probe-times.ts';
import type { Adapter } from './run/adapters.ts';
import { isBuiltIn, type ProviderName, providerNames } from './run/providers.ts';

type Candidate = 'cpu' | ProviderName;

export interface ChoiceOptions {
  /** Engines beside the CPU's that may work here, as `candidatesFor` lists them. */
  candidates: readonly ProviderName[];
  precision: Precision;
  /** Everything that measured times depend on. */
  machine: string;
  /** Where times are remembered between processes; without it they are measured again. */
  cacheFolder?: string;
  open(name: Candidate): Promise<Engine>;
  measure?(engine: Engine): Promise<Probe>;
}

export interface Choice {
  engine: Engine;
  /** Why this one, in a sentence or two; empty where there was no other. */
  reason: string;
}

/** Share by which an engine's gradient may differ from the CPU's: other summation orders, and half precision's 11 bits. */
const agreement: Record<Precision, number> = { full: 1e-3, mixed: 3e-2 };

/** Why engines were left out, in this process: a driver may work again at the next start. */
const leftOut = new Map<EngineName, string>();

/**
 * Engines beside the CPU's that this machine shows signs of. A software rasterizer never wins, so that it is not
 * measured; TensorFlow keeps a GPU's whole memory from its first use on, so that it is used where it is asked for only.
 */
export function candidatesFor(adapters: readonly Adapter[]): ProviderName[] {
  const hardware = adapters.filter(({ software }) => !software);
  if (hardware.length === 0) return [];
  const nvidia = hardware.some(({ vendor }) => vendor === 'NVIDIA');
  return providerNames.filter((name) => isBuiltIn(name) && (name !== 'cuda' || nvidia));
}

/** Opens the fastest engine by measured times. Where the CPU's is the only one, nothing is measured. */
export async function chooseEngine(options: ChoiceOptions): Promise<Choice> {
  const { candidates, open, machine, cacheFolder } = options;
  if (candidates.length === 0) return { engine: await open('cpu'), reason: '' };
  const times = recallTimes(machine, cacheFolder);
  for (const name of ['cpu', ...candidates] as const) {
    if (times[name] || leftOut.has(name)) continue;
    try {
      times[name] = { ...(await measured(name, times.cpu, options)), at: new Date().toISOString() };
    } catch (error) {
      if (name === 'cpu') throw error;
      leftOut.set(name, toErrorValue(error).message);
    }
  }
  rememberTimes(machine, times, cacheFolder);

  const byTime = (['cpu', ...candidates] as const)
    .filter((name) => times[name])
    .sort((a, b) => times[a].ms - times[b].ms);
  for (const name of byTime) {
    if (leftOut.has(name)) continue;
    try {
      const engine = await open(name);
      const said = byTime.map((each) => `${each} ${times[each].ms.toPrecision(3)} ms`).join(', ');
      const others = candidates.filter((each) => leftOut.has(each));
      const reason = [
        `auto took ${name}: a small training step takes ${said} (measured ${times[name].at.slice(0, 10)}).`,
        ...others.map((each) => `${each} was left out: ${leftOut.get(each)}`),
      ].join(' ');
      return { engine, reason };
    } catch (error) {
      if (name === 'cpu') throw error;
      leftOut.set(name, toErrorValue(error).message);
    }
  }
  throw new Error('The CPU is among the engines that were measured.');
}

/** Times one engine, and checks its numbers against the CPU's. */
async function measured(
  name: Candidate,
  cpu: Probe | undefined,
  { open, precision, measure = probe }: ChoiceOptions,
): Promise<Probe> {
  const engine = await open(name);
  const found = await measure(engine).finally(() => engine.dispose());
  const share = cpu ? Math.abs(found.slope / cpu.slope - 1) : 0;
  if (share <= agreement[precision]) return found;
  throw new Error(`its gradients differ from the CPU's by ${(100 * share).toFixed(1)} %.`);
}

import * as tf from '@tensorflow/tfjs-core';
import type { EngineChoice } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Engine, Executable, Program } from './engine.ts';
import { lower } from './lower/lower.ts';
import { cpuExecutable } from './run/cpu.ts';
import { ort, processorName } from './run/session.ts';
import { trace } from './trace/trace.ts';

export interface OpenOptions {
  /** Where measured choices are remembered between processes. */
  cacheFolder?: string;
  /** Threads inside one operator; by default the runtime's choice. */
  threads?: number;
}

/** What `listEngines` says about one engine. */
export interface EngineReport {
  name: string;
  available: boolean;
  device: string;
  reason: string;
  versions: Record<string, string>;
}

const versions = (): Record<string, string> => ({
  onnxruntime: ort.env.versions.node ?? ort.env.versions.common,
  tfjs: tf.version_core,
  node: process.versions.node,
});

/** Opens an engine. @throws CotuneError `unavailable` with the reason where it cannot run here. */
export async function openEngine(choice: EngineChoice, options: OpenOptions = {}): Promise<Engine> {
  if (choice === 'cpu' || choice === 'auto') return cpuEngine(options);
  throw new CotuneError(
    'unavailable',
    `The engine «${choice}» cannot be used here.`,
    '`cotune doctor` lists the engines of this machine; `--engine auto` picks one that works.',
  );
}

/** Every engine of the product: whether it works on this machine, on what device, and why not. */
export async function listEngines(): Promise<EngineReport[]> {
  return [{ name: 'cpu', available: true, device: processorName(), reason: '', versions: versions() }];
}

function cpuEngine({ threads = 0 }: OpenOptions): Engine {
  const open = new Set<Executable>();
  return {
    info: { name: 'cpu', device: processorName(), versions: versions() },
    async compile(program: Program, { constants = {} } = {}) {
      const evaluation = Object.keys(constants).length > 0;
      const graph = lower(trace(program, constants), {
        provider: 'cpu',
        layout: evaluation ? 'nchw' : 'nhwc',
      });
      const executable = await cpuExecutable(graph, { threads });
      const opened: Executable = {
        ...executable,
        async dispose() {
          if (open.delete(opened)) await executable.dispose();
        },
      };
      open.add(opened);
      return opened;
    },
    async dispose() {
      await Promise.all([...open].map((executable) => executable.dispose()));
      open.clear();
    },
  };
}

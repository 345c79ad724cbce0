/** ONNX Runtime sessions: how they are opened, and a program's tensors as theirs. */

import { createRequire } from 'node:module';
import os from 'node:os';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Arrays, Executable, TensorSpec, Values } from '../engine.ts';
import { runtimeFailure } from './failure.ts';
import { threadOptions } from './threads.ts';

// The runtime's own telemetry is on in its published builds for Linux and macOS from 1.29 on and is decided once, as it is loaded:
// an identifier of the machine, a file of events, their way to Microsoft.
process.env.ORT_DISABLE_TELEMETRY = '1';

// onnxruntime-node is CommonJS that re-exports at run time; Node's named imports do not see such names.
export const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');

/** A tensor of a program and the graph input or output that carries it. Its shape is that in the graph. */
export interface Port extends TensorSpec {
  name: string;
  port: string;
  /** Where the graph has the program's values in another order: they are reshaped to `split`, the axes brought into `order`. */
  arrangement?: { split: number[]; order: number[] };
}

/** The next value of a state tensor. */
export interface NextPort extends Port {
  /** Whether it may be written over the value that it follows: nothing reads that one later in the step. */
  inPlace: boolean;
}

/** An input that is a part of a state tensor, where that lies: of which one, and from which of its elements on. */
export interface PartPort extends Port {
  of: string;
  from: number;
}

/** A graph to run: state and batch go in, the next state and outputs come out. */
export interface RunnableGraph {
  model: Uint8Array;
  /** Large constants of the model, which are not in its bytes. */
  apart: { path: string; data: Uint8Array }[];
  /** Large constants that the model takes as inputs. */
  fed: { port: string; shape: readonly number[]; data: Float32Array }[];
  state: Port[];
  batch: Port[];
  /** Their next values are among those of the state, under their names. */
  parts: PartPort[];
  nextState: NextPort[];
  outputs: Port[];
}

export const elements = (spec: TensorSpec): number =>
  spec.shape.reduce((product, extent) => product * extent, 1);

/** New zeroed memory for a tensor. @throws CotuneError where there is none left. */
export function allocate(spec: TensorSpec): Values {
  try {
    return spec.dtype === 'int32' ? new Int32Array(elements(spec)) : new Float32Array(elements(spec));
  } catch (error) {
    throw runtimeFailure(error, 'The memory of a tensor could not be had');
  }
}

/** A view of `values` as a runtime tensor; no copy. */
export const asTensor = (spec: TensorSpec, values: Values): Tensor =>
  new ort.Tensor(spec.dtype, values as Float32Array, spec.shape);

/** Checks values given for a tensor. @throws CotuneError naming the tensor and what is wrong with the values. */
export function checkValues(spec: Port, values: Values | undefined): Values {
  if (!values) throw new CotuneError('failed', `No values were given for the tensor «${spec.name}».`);
  const typed = spec.dtype === 'int32' ? values instanceof Int32Array : values instanceof Float32Array;
  if (!typed || values.length !== elements(spec))
    throw new CotuneError(
      'failed',
      `«${spec.name}» takes ${elements(spec)} ${spec.dtype} values [${spec.shape}]; it was given ${values.length} in a ${values.constructor.name}.`,
    );
  return values;
}

/**
 * Opens a session over a model in memory, and its constants `apart`. @throws CotuneError with what the runtime's message means.
 */
export async function openSession(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
  apart: RunnableGraph['apart'] = [],
): Promise<InferenceSession> {
  const all = { logSeverityLevel: 3, ...threadOptions(), ...options } as const;
  try {
    return await ort.InferenceSession.create(model, apart.length > 0 ? { ...all, externalData: apart } : all);
  } catch (error) {
    throw runtimeFailure(error, 'ONNX Runtime refused the compiled program');
  }
}

/** Runs a session. @throws CotuneError with what the runtime's message means. */
export async function runSession(session: InferenceSession, feeds: NamedTensors): Promise<NamedTensors> {
  try {
    return (await session.run(feeds)) as NamedTensors;
  } catch (error) {
    throw runtimeFailure(error, 'ONNX Runtime could not run a step');
  }
}

/** What the runtime's Node binding says of a sequence that it is about to hand out. */
const noSequences = 'Non tensor type is temporarily not supported.';

/**
 * Runs a session whose results go into memory that is given for them. The runtime's Node binding (1.30) copies every output
 * into a new array besides, also those that were given memory: 190 MB a step for a ResNet-50. It goes through them in the
 * graph's order and refuses sequences; where the graph has one in front of the results, it copies none of them. The run is
 * over by then, and everything is in its place.
 * @throws CotuneError with what the runtime's message means.
 */
export async function runInto(
  session: InferenceSession,
  feeds: NamedTensors,
  results: NamedTensors,
): Promise<void> {
  const [first] = session.outputNames;
  const isUncopied = !(first in results);
  try {
    await session.run(feeds, isUncopied ? { [first]: null, ...results } : results);
  } catch (error) {
    if (isUncopied && error instanceof Error && error.message === noSequences) return;
    throw runtimeFailure(error, 'ONNX Runtime could not run a step');
  }
}

/** The processor's name as the system gives it. */
export const processorName = (): string => os.cpus()[0]?.model.trim() || os.arch();

export type NamedTensors = Record<string, Tensor>;

/** The state tensors of a graph by name. */
export class StatePorts {
  readonly #ports: Map<string, Port>;

  constructor({ state }: Pick<RunnableGraph, 'state'>) {
    this.#ports = new Map(state.map((port) => [port.name, port]));
  }

  get names(): string[] {
    return [...this.#ports.keys()];
  }

  /** @throws CotuneError where the program has no such state. */
  get(name: string): Port {
    const port = this.#ports.get(name);
    if (!port) throw new CotuneError('failed', `The program has no state tensor named «${name}».`);
    return port;
  }
}

/** An executable over a session. */
export interface SessionExecutable extends Executable {
  /** Forgets the state and gives its memory back; the session stays, and takes a new state by `load`. */
  unload(): Promise<void>;
}

/** The inputs of one run. @throws CotuneError naming state that was never loaded, or wrong batch values. */
export function feedsOf(
  graph: Pick<RunnableGraph, 'state' | 'batch'>,
  state: NamedTensors,
  batch: Arrays,
): NamedTensors {
  const missing = graph.state.filter(({ name }) => !state[name]).map(({ name }) => name);
  if (missing.length > 0)
    throw new CotuneError(
      'failed',
      `State not loaded: ${missing.slice(0, 5).join(', ')}.`,
      'Call load first.',
    );
  const feeds: NamedTensors = {};
  for (const { name, port } of graph.state) feeds[port] = state[name];
  for (const port of graph.batch) feeds[port.port] = asTensor(port, checkValues(port, batch[port.name]));
  return feeds;
}

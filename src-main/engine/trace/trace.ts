import '../gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Arrays, Program, Specs, Tensors } from '../engine.ts';
import { type TraceBackend, traceBackend, traceBackendName } from './backend.ts';
import type { InputValue, Node, Trace, Value } from './ir.ts';

/**
 * Runs a program's step once on symbolic tensors and returns the kernels that matter for its results. State
 * tensors named in `constants` are known values instead of inputs; `isOurs`: whether their arrays may be overwritten.
 *
 * @throws CotuneError when the step uses a kernel that cannot be traced, or reads a tensor's numbers.
 */
export function trace(program: Program, constants: Arrays = {}, isOurs = false): Trace {
  const backend = traceBackend();
  return onTraceBackend(() => {
    backend.clear();
    const inputs: InputValue[] = [];
    const state = symbols(backend, inputs, 'state', program.state, constants, isOurs);
    const batch = symbols(backend, inputs, 'batch', program.batch);
    const result = step(program, state, batch);
    for (const name of Object.keys(result.state))
      if (!program.state[name])
        throw new CotuneError('failed', `The step returns an unknown state tensor «${name}».`);

    const valuesOf = (tensors: Tensors): Map<string, Value> =>
      new Map(Object.entries(tensors).map(([name, tensor]) => [name, backend.tracedValue(tensor)]));
    const nextState = valuesOf(result.state);
    for (const [name, value] of nextState) {
      checkSpec(name, value, program.state[name].shape, program.state[name].dtype);
      if (value === backend.tracedValue(state[name])) nextState.delete(name);
    }
    const outputs = valuesOf(result.outputs);
    const diagnosis = valuesOf(result.diagnosis ?? {});
    const nodes = live(backend.recorded, [...nextState.values(), ...outputs.values(), ...diagnosis.values()]);
    // Nodes hold a network's weights where these are constants.
    backend.clear();
    return { inputs, nodes, state: nextState, outputs, diagnosis };
  });
}

function onTraceBackend<T>(work: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName;
  // setBackend does its work before its first await when the backend's factory is synchronous, as ours is.
  void engine.setBackend(traceBackendName);
  try {
    let result: T | undefined;
    // Nothing goes through tidy itself: it would search the whole trace and every constant for tensors.
    tf.tidy(() => {
      result = work();
    });
    return result as T;
  } finally {
    if (before) void engine.setBackend(before);
  }
}

function symbols(
  backend: TraceBackend,
  inputs: InputValue[],
  role: InputValue['role'],
  specs: Specs,
  constants: Arrays = {},
  isOurs = false,
): Tensors {
  const tensors: Tensors = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (constants[name]) {
      tensors[name] = backend.constant(spec, constants[name], isOurs);
      continue;
    }
    tensors[name] = backend.input(role, name, spec);
    inputs.push(backend.tracedValue(tensors[name]) as InputValue);
  }
  return tensors;
}

function step(program: Program, state: Tensors, batch: Tensors): ReturnType<Program['step']> {
  try {
    return program.step(state, batch);
  } catch (error) {
    const kernel = error instanceof Error ? /[Kk]ernel '(\w+)'/.exec(error.message)?.[1] : undefined;
    if (!kernel) throw error;
    throw new CotuneError(
      'failed',
      `The engine cannot compile the tf.js kernel «${kernel}».`,
      'Add its shape rule to engine/trace/shapes.ts and its lowering rule to engine/lower, or write the step without it.',
      { cause: error },
    );
  }
}

function checkSpec(name: string, value: Value, shape: readonly number[], dtype: string): void {
  if (value.dtype === dtype && value.shape.join() === shape.join()) return;
  throw new CotuneError(
    'failed',
    `The step returns the state tensor «${name}» as ${value.dtype} [${value.shape}]; it was declared as ${dtype} [${shape}].`,
  );
}

/** The recorded nodes that `results` depend on, in order. */
function live(recorded: readonly Node[], results: readonly Value[]): Node[] {
  const needed = new Set<Node>();
  const pending = [...results];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (value.kind !== 'result' || needed.has(value.node)) continue;
    needed.add(value.node);
    pending.push(...Object.values(value.node.inputs));
  }
  return recorded.filter((node) => needed.has(node));
}

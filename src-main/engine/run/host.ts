import type { InferenceSession } from 'onnxruntime-node';
import type { Arrays, Values } from '../engine.ts';
import { arrange, restore } from './arrange.ts';
import {
  allocate,
  asTensor,
  checkValues,
  elements,
  feedsOf,
  type NamedTensors,
  openSession,
  type RunnableGraph,
  runInto,
  type SessionExecutable,
  StatePorts,
} from './session.ts';
import { sharedStates } from './shared-state.ts';

const states = sharedStates((): { current: NamedTensors; spare: NamedTensors } => ({
  current: {},
  spare: {},
}));

/**
 * Runs a graph with its state in host memory: on the CPU, or on a device that takes it up and down at every step. What a
 * step replaces element by element it writes over; of other state there are two buffers that take turns: one is an input
 * of a step, the other receives the output. With `over` the state is that of another graph.
 */
export async function hostExecutable(
  graph: RunnableGraph,
  options: InferenceSession.SessionOptions,
  over?: SessionExecutable,
): Promise<SessionExecutable> {
  // What runs holds neither the model nor constants that the runtime has copied.
  const { model, apart, fed, ...tensors } = graph;
  const state = states.find(tensors, over);
  const session = await openSession(model, { graphOptimizationLevel: 'all', ...options }, apart);
  const ports = new StatePorts(tensors);
  const { current, spare } = state;
  const constants = Object.fromEntries(
    fed.map(({ port, shape, data }) => [port, asTensor({ shape: [...shape], dtype: 'float32' }, data)]),
  );
  const turning = tensors.nextState.filter(({ inPlace }) => !inPlace);
  for (const next of turning) spare[next.name] ??= asTensor(next, allocate(next));
  let disposed = false;

  const executable: SessionExecutable = {
    async load(state) {
      const given = Object.entries(state).map(([name, values]) => {
        const port = ports.get(name);
        return { name, port, values: checkValues(port, values) };
      });
      const moved = given.filter(({ port }) => port.arrangement);
      const longest = Math.max(0, ...moved.map(({ values }) => values.length));
      const scratch = allocate({ shape: [longest], dtype: 'float32' });
      for (const { name, port, values } of given) {
        arrange(values, port, scratch);
        current[name] = asTensor(port, values);
      }
    },
    async run(batch) {
      const feeds = { ...constants, ...feedsOf(tensors, current, batch), ...partsOf(tensors, current) };
      const fetches: NamedTensors = {};
      const results: Arrays = {};
      for (const { name, port, inPlace } of tensors.nextState)
        fetches[port] = inPlace ? feeds[name] : spare[name];
      for (const output of tensors.outputs) {
        results[output.name] = allocate(output);
        fetches[output.port] = asTensor(output, results[output.name]);
      }
      await runInto(session, feeds, fetches);
      for (const { name } of turning)
        if (name in current) [current[name], spare[name]] = [spare[name], current[name]];
        // A part stays where the whole is.
        else (feeds[name].data as Float32Array).set(spare[name].data as Float32Array);
      return results;
    },
    async read(names = ports.names) {
      return Object.fromEntries(
        names.map((name) => {
          const port = ports.get(name);
          return [name, restore(current[name].data as Values, port)];
        }),
      );
    },
    async unload() {
      for (const name of Object.keys(current)) delete current[name];
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      if (options.enableProfiling) session.endProfiling();
      await session.release();
      if (!states.leave(state)) return;
      for (const held of [current, spare]) for (const name of Object.keys(held)) delete held[name];
    },
  };
  states.enter(executable, state);
  return executable;
}

/** Tensors over parts of the state, by the inputs that take them. */
function partsOf({ parts }: Pick<RunnableGraph, 'parts'>, state: NamedTensors): NamedTensors {
  return Object.fromEntries(
    parts.map((part) => {
      const whole = state[part.of].data as Values;
      return [part.port, asTensor(part, whole.subarray(part.from, part.from + elements(part)))];
    }),
  );
}

export interface CpuOptions {
  /** Threads inside one operator; 0 lets the runtime choose. */
  threads: number;
  /** Prefix of the file that receives the time of every operator at disposal; none where it is not given. */
  profile?: string;
  /** Whether threads that wait for the next operator sleep instead of spinning. */
  yields?: boolean;
}

/**
 * Smaller blocks of work towards the end of an operator: a processor that something else uses meanwhile holds up less.
 * Evaluations of large images are slower with it.
 */
const smallerBlocks = { dynamic_block_base: '4' };
/** Beside the thread that makes its batches an evaluation is a sixth faster without spinning; alone it is 3 % slower. */
const noSpinning = { intra_op: { allow_spinning: '0' } };

export const cpuSessionOptions = (
  graph: RunnableGraph,
  { threads, profile, yields }: CpuOptions,
): InferenceSession.SessionOptions => {
  const isStep = graph.nextState.length > 0;
  return {
    executionProviders: ['cpu'],
    // In a step that changes its state the optimizers find nothing but reshapes to join, and search for longer than everything
    // else here takes. Evaluation has constants to fold.
    graphOptimizationLevel: isStep ? 'disabled' : 'all',
    // A pattern is one block for all tensors of a run, beside the arena that the first run has grown already: the second run
    // pays for it once more, in memory and in fresh pages, and later ones are no faster.
    enableMemPattern: false,
    extra: { session: { ...(isStep ? smallerBlocks : {}), ...(yields ? noSpinning : {}) } },
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    ...(profile ? { enableProfiling: true, profileFilePrefix: profile } : {}),
  };
};

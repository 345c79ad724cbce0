import type { CallName } from '../../src-shared/contract.ts';
import type { Context, Handlers } from './context.ts';

type Part = CallName extends infer N ? (N extends `${infer P}.${string}` ? P : never) : never;
type CallsOf<P extends Part> = Extract<CallName, `${P}.${string}`>;
type Load<P extends Part> = (context: Context) => Promise<Handlers<CallsOf<P>>>;

const system = async (context: Context) => (await import('./system-calls.ts')).systemCalls(context);
const datasets = async (context: Context) => ({
  ...(await import('./dataset-calls.ts')).datasetCalls(context),
  ...(await import('./edit-calls.ts')).editCalls(context),
});
const outputs = async (context: Context) => (await import('./output-calls.ts')).outputCalls(context);

/** What answers calls, by the first part of their names. */
const parts: { [P in Part]: Load<P> } = {
  system,
  tasks: system,
  parts: system,
  datasets,
  samples: datasets,
  models: async (context) => (await import('./model-calls.ts')).modelCalls(context),
  rankings: async (context) => (await import('./ranking-calls.ts')).rankingCalls(context),
  relationships: async (context) => (await import('./relationship-calls.ts')).relationshipCalls(context),
  runs: async (context) => ({
    ...(await import('./run-calls.ts')).runCalls(context),
    ...(await import('./average-calls.ts')).averageCalls(context),
    ...(await import('./result-calls.ts')).resultCalls(context),
    ...(await import('./compare-calls.ts')).compareCalls(context),
    ...(await import('./explain-calls.ts')).explainCalls(context),
    ...(await outputs(context)),
  }),
  exports: outputs,
  experiments: async (context) => (await import('./experiment-calls.ts')).experimentCalls(context),
  features: async (context) => (await import('./feature-calls.ts')).featureCalls(context),
  views: async (context) => (await import('./view-calls.ts')).viewCalls(context),
};

/** Answers calls; what a part of them needs is loaded with the first one: few programs make calls of all. */
export function openCalls(
  context: Context,
): <N extends CallName>(
  name: N,
  input: Parameters<Handlers[N]>[0],
) => Promise<Awaited<ReturnType<Handlers[N]>>> {
  const loaded = new Map<unknown, Promise<Partial<Handlers>>>();
  return async (name, input) => {
    const load = parts[name.slice(0, name.indexOf('.')) as Part];
    const loading: Promise<Partial<Handlers>> = loaded.get(load) ?? load(context);
    loaded.set(load, loading);
    const handlers = await loading;
    return handlers[name]!(input as never) as never;
  };
}

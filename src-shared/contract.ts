/**
 * The one contract between the service and whoever drives it: the renderer (over Electron message ports or a
 * WebSocket on loopback) and the command line. Both sides' types derive from this literal; inputs are parsed by
 * the service with the same schemas.
 */
import { z } from 'zod';
import { id, none } from './contract/call.ts';
import { comparisonCalls } from './contract/comparisons.ts';
import { datasetCalls } from './contract/datasets.ts';
import { experimentCalls } from './contract/experiments.ts';
import { modelCalls } from './contract/models.ts';
import { runCalls } from './contract/runs.ts';
import { systemCalls, Task } from './contract/system.ts';
import { type ErrorValueSchema, Phase, Run } from './domain.ts';

export * from './contract/comparisons.ts';
export * from './contract/datasets.ts';
export * from './contract/experiments.ts';
export * from './contract/models.ts';
export * from './contract/runs.ts';
export * from './contract/system.ts';

export const contract = {
  calls: {
    ...systemCalls,
    ...datasetCalls,
    ...modelCalls,
    ...runCalls,
    ...comparisonCalls,
    ...experimentCalls,
  },
  events: {
    task: Task,
    run: Run,
    'run.deleted': z.object({ run: id }),
    /** Fine-grained progress of a running run. */
    'run.progress': z.object({ run: id, phase: Phase, done: z.number(), total: z.number() }),
    'run.metrics': z.object({ run: id, step: z.number().int(), values: z.record(z.string(), z.number()) }),
    'datasets.changed': none,
    'models.changed': none,
  },
} as const;

export type Calls = typeof contract.calls;
export type CallName = keyof Calls;
export type CallInput<N extends CallName> = z.input<Calls[N]['input']>;
export type CallOutput<N extends CallName> = z.output<Calls[N]['output']>;
type Events = typeof contract.events;
export type EventName = keyof Events;
export type EventData<N extends EventName> = z.output<Events[N]>;

/** The service as a caller sees it, whatever lies between. */
export interface Client {
  call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>>;
  /** Subscribes; returns the function that ends it. */
  on<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void;
}

/** Frames on a WebSocket or a message port. */
export type ClientFrame = { id: number; call: CallName; input: unknown };
export type ServiceFrame =
  | { id: number; output: unknown }
  | { id: number; error: z.infer<typeof ErrorValueSchema> }
  | { event: EventName; data: unknown };

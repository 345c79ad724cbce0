import type { InferenceSession } from 'onnxruntime-node';
import { openSession, type RunnableGraph } from './session.ts';

/** Sessions over graphs that belong together, each opened when it is first needed. */
export interface SessionSet {
  /** The session of that name; `build` makes its model where it is not open yet, and may leave large constants beside it. */
  get(name: string, build: (apart: RunnableGraph['apart']) => Uint8Array): Promise<InferenceSession>;
  dispose(): Promise<void>;
}

/**
 * For graphs on the CPU without anything to optimize, where the optimizers would copy large constants several times in search
 * of it. The sessions take turns: threads of one that spin after its run would hold the processors that the next one needs.
 */
export function openSessionSet(): SessionSet {
  const sessions = new Map<string, Promise<InferenceSession>>();
  return {
    get(name, build) {
      const known = sessions.get(name);
      if (known) return known;
      const apart: RunnableGraph['apart'] = [];
      const options = {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'disabled',
        extra: { session: { force_spinning_stop: '1' } },
      } as const;
      const opened = openSession(build(apart), options, apart);
      sessions.set(name, opened);
      return opened;
    },
    async dispose() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}

import type { EventData, EventName } from '../../src-shared/contract.ts';

export type Emit = <N extends EventName>(name: N, data: EventData<N>) => void;
type Listener = (data: never) => void;

/** Subscribers by event. A listener that throws is that listener's loss alone: it is reported and the rest go on. */
export function createEvents() {
  const listeners = new Map<EventName, Set<Listener>>();
  const emit: Emit = (name, data) => {
    for (const listener of listeners.get(name) ?? []) {
      try {
        listener(data as never);
      } catch (error) {
        process.emitWarning(error as Error);
      }
    }
  };
  return {
    emit,
    on<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener as Listener));
      return () => void set.delete(listener as Listener);
    },
    clear: (): void => listeners.clear(),
  };
}

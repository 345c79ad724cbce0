import { CotuneError } from '../../../src-shared/errors.ts';
import type { RunnableGraph, SessionExecutable } from './session.ts';

/** State that several graphs may run over. */
export type Shared<S> = S & {
  /** How the graphs have the tensors. */
  readonly ports: string;
  /** Graphs that are not disposed of. */
  users: number;
};

/** The states of one kind of executable. */
export function sharedStates<S extends object>(begin: () => S) {
  const stateOf = new WeakMap<SessionExecutable, Shared<S>>();
  return {
    /** The state of `over`, or a new one. @throws CotuneError where the graph has other tensors. */
    find({ state }: Pick<RunnableGraph, 'state'>, over?: SessionExecutable): Shared<S> {
      const ports = JSON.stringify(state);
      const found = (over && stateOf.get(over)) ?? { ...begin(), ports, users: 0 };
      if (found.ports === ports) return found;
      throw new CotuneError(
        'failed',
        'A program was to run over the state of another, which has other tensors.',
      );
    },
    /** An executable begins to run over a state, as others may that are opened over it. */
    enter(executable: SessionExecutable, state: Shared<S>): void {
      state.users++;
      stateOf.set(executable, state);
    },
    /** One ends; whether it was the last. */
    leave: (state: Shared<S>): boolean => --state.users === 0,
  };
}

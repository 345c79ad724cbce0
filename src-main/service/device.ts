import type { Store } from '../store/store.ts';
import type { DeviceHolder } from '../store/turns.ts';
import { openTrouble } from './trouble.ts';

/** Something that takes its turn for the device. */
export interface DeviceUse {
  /** As others are told that wait for it. */
  title: string;
  /** When it was asked for; now where left out. What was asked for first has its turn first. */
  askedAt?: string;
  /** Told what it waits for, whenever that changes; null when its turn has come. */
  waits?(what: string | null): void;
  /** One that waits leaves the line. */
  signal?: AbortSignal;
}

export type Device = ReturnType<typeof openDevice>;

/**
 * The device of a home, whichever process uses it: one run or one long job at a time, in the order in which they were asked for.
 * The line is in the store; a process that is gone stands in it no more.
 */
export function openDevice({ store, owner }: { store: Store; owner: string }) {
  const waiting = new Set<() => void>();
  const leaving = new Set<number>();
  const tellTrouble = openTrouble();
  let whenFree = () => {};

  /** Looks whether somebody's turn has come. Called after every change that could make it so, and every few seconds. */
  function kick(): void {
    try {
      for (const id of leaving) {
        store.turns.leave(id);
        leaving.delete(id);
      }
      for (const look of waiting) look();
    } catch (error) {
      tellTrouble(store.explain(error));
    }
  }

  /** The id of the turn, once it has come. */
  function turn({ title, askedAt = new Date().toISOString(), waits, signal }: DeviceUse): Promise<number> {
    signal?.throwIfAborted();
    let id = store.turns.ask(owner, title, askedAt);
    let told: string | null = null;
    return new Promise((resolve, reject) => {
      const tell = (what: string | null) => {
        if (what !== told) waits?.(what);
        told = what;
      };
      const look = () => {
        // Another process took this one's lease while it slept, and what it had in line with it.
        if (!store.turns.has(id)) id = store.turns.ask(owner, title, askedAt);
        if (!store.turns.begin(id, owner)) return tell(store.turns.ahead(id, owner) ?? told);
        end();
        tell(null);
        resolve(id);
      };
      const leave = () => {
        end();
        leaving.add(id);
        reject(signal!.reason);
        kick();
      };
      const end = () => {
        waiting.delete(look);
        signal?.removeEventListener('abort', leave);
      };
      waiting.add(look);
      signal?.addEventListener('abort', leave);
      kick();
    });
  }

  return {
    kick,
    /** Called when a job here has left the device. */
    onFree(listener: () => void): void {
      whenFree = listener;
    },
    holder: (): DeviceHolder | undefined => store.turns.holder(owner),
    /** Does `work` when its turn has come. Errors: the work's own; the signal's reason where it comes while waiting. */
    async take<T>(use: DeviceUse, work: () => Promise<T>): Promise<T> {
      const id = await turn(use);
      try {
        return await work();
      } finally {
        leaving.add(id);
        kick();
        whenFree();
      }
    },
  };
}

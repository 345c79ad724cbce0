import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Lease } from '../store/leases.ts';
import type { Store } from '../store/store.ts';

/** A lease is renewed this often, in milliseconds. */
const beatMs = 5_000;
/** Silence, as another process sees it, after which a lease's owner counts as gone. */
const silenceMs = 30_000;
/** The same where the lease is overdue by the clock as well: it slept, or died long ago. Renewing takes one beat. */
const overdueSilenceMs = 2 * beatMs;
/** What one look adds to a silence at most: two looks that are further apart have a sleeping machine between them. */
const longestLook = 4_000;

/** Who works here. A name is for one opening of the service: its process's id, and what nothing else is called. */
export const newOwner = (): string => `${process.pid}#${randomUUID()}`;

export const processId = (owner: string): number => Number.parseInt(owner, 10);

/**
 * This process's lease on the home, and its view of the others'. A lease is not dated by the clock, which jumps and goes on
 * while a laptop sleeps: its beat counts up, and it ends when another process, awake, has seen it stand still for long enough.
 * A process id that is free in the same place says so at once; one that is taken says nothing, since ids are reused.
 */
export function holdLease(store: Store, owner: string) {
  const seen = new Map<string, { beat: number; silent: number; at: number }>();
  const place = placeOfProcess();
  let renewed = performance.now();
  store.leases.insert(owner, place);

  function isGone(lease: Lease): boolean {
    if (lease.place === place && !processExists(processId(lease.owner))) return true;
    const now = performance.now();
    const last = seen.get(lease.owner);
    if (last?.beat !== lease.beat) {
      seen.set(lease.owner, { beat: lease.beat, silent: 0, at: now });
      return false;
    }
    last.silent += Math.min(now - last.at, longestLook);
    last.at = now;
    const overdue = Math.abs(Date.now() - lease.renewedAt) > silenceMs;
    return last.silent >= (overdue ? overdueSilenceMs : silenceMs);
  }

  return {
    /** Renews it when that is due. False where another process has taken it: what this one worked on is no longer its own. */
    renew(): boolean {
      if (performance.now() - renewed < beatMs) return true;
      const held = store.leases.renew(owner);
      if (!held) store.leases.insert(owner, place);
      renewed = performance.now();
      return held;
    },
    /** Takes the leases of processes that are gone. */
    takeOver(): void {
      for (const lease of store.leases.list()) {
        if (lease.owner === owner || !isGone(lease)) continue;
        store.leases.take(lease);
        seen.delete(lease.owner);
      }
    },
    release: (): void => store.leases.release(owner),
  };
}

/** Where a process id means something: the host, and on Linux the container. */
function placeOfProcess(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is such a process, of another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

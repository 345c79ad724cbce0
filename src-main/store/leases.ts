import type { Db } from './database.ts';

export interface Lease {
  owner: string;
  place: string;
  beat: number;
  /** Milliseconds since 1970, by the owner's clock. */
  renewedAt: number;
}

/** Which processes work on this home. */
export function leaseStore(db: Db) {
  const list = db.prepare<[], Lease>('SELECT owner, place, beat, renewed_at AS renewedAt FROM leases');
  const insert = db.prepare('INSERT INTO leases (owner, place, beat, renewed_at) VALUES (?, ?, 0, ?)');
  const renew = db.prepare('UPDATE leases SET beat = beat + 1, renewed_at = ? WHERE owner = ?');
  const take = db.prepare('DELETE FROM leases WHERE owner = ? AND beat = ?');
  const release = db.prepare('DELETE FROM leases WHERE owner = ?');
  const leaveLine = db.prepare('DELETE FROM turns WHERE owner = ?');
  const held = db.prepare<[string], number>('SELECT 1 FROM leases WHERE owner = ?').pluck();
  return {
    list: (): Lease[] => list.all(),
    insert: (owner: string, place: string): void => void insert.run(owner, place, Date.now()),
    /** False where another process has taken it. */
    renew: (owner: string): boolean => renew.run(Date.now(), owner).changes > 0,
    /** Takes the lease of an owner that is gone, and its places in line, unless it has moved since it was looked at. */
    take: db.transaction(({ owner, beat }: Lease): void => {
      if (take.run(owner, beat).changes > 0) leaveLine.run(owner);
    }).immediate,
    release: db.transaction((owner: string): void => {
      release.run(owner);
      leaveLine.run(owner);
    }).immediate,
    isHeld: (owner: string): boolean => held.get(owner) !== undefined,
  };
}

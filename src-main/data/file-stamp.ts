import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** How fine a file system's clock may be, in nanoseconds: whole seconds (FAT: two), or a tick of the kernel. */
const coarse = 2_500_000_000n;
const fine = 50_000_000n;

/**
 * The state that a file is in as the file system tells it: size, times of the last change of content and of entry,
 * and identity. While the stamp stays the same, so does the content; no clock is compared with another machine's. Null for
 * a file changed so recently that a second change could bear the same time. System errors pass through.
 */
export async function stampOf(path: string): Promise<string | null> {
  const facts = await stat(path, { bigint: true });
  return isSettled(facts) ? textOf(facts) : null;
}

/**
 * `stampOf` of many files in one go, where nothing else waits: a turn of the event loop for each takes most of the time. Undefined for one
 * that cannot be looked at.
 */
export const stampsOf = (paths: readonly string[]): (string | null | undefined)[] =>
  paths.map((path) => {
    try {
      const facts = statSync(path, { bigint: true });
      return isSettled(facts) ? textOf(facts) : null;
    } catch {
      return undefined;
    }
  });

/** The stamp of a file that may have changed just now: it is compared with stamps of `stampOf` alone. */
export const unsettledStampOf = (path: string): string => textOf(statSync(path, { bigint: true }));

const textOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string =>
  `${size}:${mtimeNs}:${ctimeNs}:${ino}`;

function isSettled({ mtimeNs, ctimeNs }: BigIntStats): boolean {
  const tick = mtimeNs % 1_000_000_000n === 0n && ctimeNs % 1_000_000_000n === 0n ? coarse : fine;
  const now = BigInt(Date.now()) * 1_000_000n;
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  // A time in the future is another machine's, and says nothing about how long ago it was.
  return newest > now + coarse || newest < now - tick;
}

/** What `read` returns, with the stamp of the file that it surely was read from, or null. */
export async function withStamp<T>(
  path: string,
  read: () => Promise<T>,
): Promise<{ value: T; stamp: string | null }> {
  const before = await stampOf(path);
  const value = await read();
  const after = before === null ? null : await stampOf(path).catch(() => null);
  return { value, stamp: before === after ? before : null };
}

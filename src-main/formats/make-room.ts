import type { Dirent } from 'node:fs';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** How the name of a file ends that is still being written. */
export const temporaryEnd = '.tmp';
/** Temporary files older than this were left behind by a process that died. */
const staleMs = 3_600_000;

interface StoredFile {
  path: string;
  bytes: number;
  usedMs: number;
}

/**
 * Makes room for `incoming` bytes below a folder of files that can all be made again: those whose time of modification
 * is oldest go until everything fits into the budget: `limit`, or half of the disk space not used otherwise where that is
 * less. Other processes may read, write and delete there meanwhile. Returns the budget and what is used of it, in bytes.
 */
export async function makeRoom(
  folder: string,
  incoming: number,
  limit: number,
): Promise<{ budget: number; used: number }> {
  const files = await listFiles(folder);
  let used = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const disk = await statfs(folder)
    .catch(() => statfs(dirname(folder)))
    .catch(() => null);
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY;
  const budget = Math.min(limit, (free + used) / 2);
  const now = Date.now();
  files.sort((a, b) => a.usedMs - b.usedMs);
  for (const { path, bytes, usedMs } of files) {
    const stale = path.endsWith(temporaryEnd) && now - usedMs > staleMs;
    if (!stale && used + incoming <= budget) continue;
    // One that another process holds open may not go (on Windows); the next one then does.
    const gone = await rm(path, { force: true }).then(
      () => true,
      () => false,
    );
    if (gone) used -= bytes;
  }
  return { budget, used };
}

async function listFiles(folder: string): Promise<StoredFile[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const listed = await Promise.all(
    files.map(async (path): Promise<StoredFile[]> => {
      // Another process may delete it meanwhile.
      const facts = await stat(path).catch(() => null);
      return facts ? [{ path, bytes: facts.size, usedMs: facts.mtimeMs }] : [];
    }),
  );
  return listed.flat();
}

import type { Dirent } from 'node:fs';
import { readdir, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedPath, cacheRoot, type ImageCache, type ImageSource } from './image-cache.ts';

const maxBytes = 32 * 2 ** 30;
/** Temporary files older than this were left behind by a process that died. */
const staleMs = 3_600_000;

interface CachedFile {
  path: string;
  bytes: number;
  usedMs: number;
}

/**
 * Makes the cache ready for some images: those that are there become the most recently used, and others go where the
 * rest needs their room. Returns the images that may be stored (all, unless they alone exceed the budget) and those
 * of them that are not stored yet.
 */
export async function reserveCache(
  sources: readonly ImageSource[],
  cache: ImageCache,
  limit = maxBytes,
): Promise<{ kept: Set<string>; missing: ImageSource[] }> {
  const distinct = [...new Map(sources.map((source) => [source.hash, source])).values()];
  const now = new Date();
  const present = new Set<string>();
  for (let at = 0; at < distinct.length; at += 64) {
    const touched = distinct.slice(at, at + 64).map(async ({ hash }) => {
      await utimes(cachedPath(cache, hash), now, now).then(
        () => present.add(hash),
        () => undefined,
      );
    });
    await Promise.all(touched);
  }
  if (present.size === distinct.length) return { kept: present, missing: [] };
  // RGB at the usual aspect ratio of 4:3.
  const imageBytes = 4 * cache.shorter ** 2;
  const budget = await makeRoom(cache.folder, (distinct.length - present.size) * imageBytes, limit);
  const kept = new Set(present);
  for (const { hash } of distinct) {
    if ((kept.size + 1) * imageBytes > budget) break;
    kept.add(hash);
  }
  return { kept, missing: distinct.filter(({ hash }) => kept.has(hash) && !present.has(hash)) };
}

/**
 * Makes room for `incoming` bytes of decoded images: the least recently used files go until everything fits into the
 * budget: `limit`, or half of the disk space not used otherwise where that is less. Returns the budget in bytes.
 */
async function makeRoom(folder: string, incoming: number, limit: number): Promise<number> {
  const files = await listFiles(cacheRoot(folder));
  let used = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const disk = await statfs(folder).catch(() => null);
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY;
  const budget = Math.min(limit, (free + used) / 2);
  const now = Date.now();
  files.sort((a, b) => a.usedMs - b.usedMs);
  for (const { path, bytes, usedMs } of files) {
    const stale = !path.endsWith('.rgb') && now - usedMs > staleMs;
    if (!stale && used + incoming <= budget) continue;
    await rm(path, { force: true });
    used -= bytes;
  }
  return budget;
}

async function listFiles(folder: string): Promise<CachedFile[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const listed = await Promise.all(
    files.map(async (path): Promise<CachedFile[]> => {
      // Another process may delete it meanwhile.
      const facts = await stat(path).catch(() => null);
      return facts ? [{ path, bytes: facts.size, usedMs: facts.mtimeMs }] : [];
    }),
  );
  return listed.flat();
}

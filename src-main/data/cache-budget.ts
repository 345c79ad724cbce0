import { utimes } from 'node:fs/promises';
import { makeRoom } from '../formats/make-room.ts';
import { cachedPath, cacheRoot, type ImageCache, type ImageSource } from './stored-images.ts';

const maxBytes = 32 * 2 ** 30;

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
  const incoming = (distinct.length - present.size) * imageBytes;
  const { budget } = await makeRoom(cacheRoot(cache.folder), incoming, limit);
  const kept = new Set(present);
  for (const { hash } of distinct) {
    if ((kept.size + 1) * imageBytes > budget) break;
    kept.add(hash);
  }
  return { kept, missing: distinct.filter(({ hash }) => kept.has(hash) && !present.has(hash)) };
}

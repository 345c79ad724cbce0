import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file or folder of the material kept beside the repository, or null where it was not given along. */
export function sharedPath(path: string): string | null {
  for (const above of ['../../shared', '../../../shared']) {
    const candidate = fileURLToPath(new URL(`${above}/${path}`, import.meta.url));
    if (existsSync(candidate)) return candidate;
  }
  return null;
}

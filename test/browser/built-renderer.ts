import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Folder of the built renderer; `npm test` has built it, a test run alone builds it where it is missing. */
export async function builtRenderer(): Promise<string> {
  const folder = fileURLToPath(new URL('../../dist/renderer/', import.meta.url));
  if (!existsSync(`${folder}index.html`)) {
    const configFile = fileURLToPath(new URL('../../src-renderer/vite.config.ts', import.meta.url));
    await build({ configFile, logLevel: 'error' });
  }
  return folder;
}

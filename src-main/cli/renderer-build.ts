import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CotuneError } from '../../src-shared/errors.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Builds the renderer where it is not there yet. Errors: `unavailable` where it cannot be built. */
export async function ensureRenderer(): Promise<void> {
  if (existsSync(join(root, 'dist', 'renderer', 'index.html'))) return;
  process.stderr.write('Building the app (once)…\n');
  // Its stdout goes to stderr: stdout is the command's own.
  const { status } = spawnSync(process.execPath, [join(root, 'resources', 'scripts', 'run.mjs'), 'build'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw new CotuneError('unavailable', 'The app could not be built.', 'Run `npm run build` to see why.');
}

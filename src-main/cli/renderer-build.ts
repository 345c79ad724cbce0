import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CotuneError } from '../../src-shared/errors.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Builds the renderer where it is not there yet. Errors: `unavailable` where it cannot be built. */
export function ensureRenderer(): void {
  if (existsSync(join(root, 'dist', 'renderer', 'index.html'))) return;
  process.stderr.write('Building the app (once)…\n');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const config = join('src-renderer', 'vite.config.ts');
  // Its stdout goes to stderr: stdout is the command's own.
  const { status } = spawnSync(process.execPath, [vite, 'build', '--config', config, '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw new CotuneError('unavailable', 'The app could not be built.', 'Run `npm run build` to see why.');
}

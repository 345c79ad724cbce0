import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Binary = { path: string } | { reason: string };

/** How long the download site gets to answer; without a network it never does. */
const answerMs = 5_000;

/**
 * The Electron program, downloaded on first use, or in a few words why there is none. `entry`: the main file of the
 * `electron` package.
 */
export async function electronBinary(
  entry: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Binary> {
  const { platform } = process;
  if (platform === 'linux' && !environment.DISPLAY && !environment.WAYLAND_DISPLAY)
    return { reason: 'there is no screen' };
  const folder = dirname(entry);
  if (installed(folder) === null) {
    const mirror = environment.ELECTRON_MIRROR ?? 'https://github.com/electron/electron/releases/';
    try {
      await fetch(mirror, { method: 'HEAD', signal: AbortSignal.timeout(answerMs) });
    } catch {
      return { reason: `Electron is not downloaded, and ${new URL(mirror).host} cannot be reached` };
    }
    process.stderr.write('Downloading Electron (once, about 120 MB)…\n');
    const { status } = spawnSync(process.execPath, [join(folder, 'install.js')], { stdio: ['ignore', 2, 2] });
    if (status !== 0) return { reason: 'the download of Electron failed' };
  }
  const path = installed(folder);
  return path === null ? { reason: 'the Electron package is incomplete' } : { path };
}

/** Where the package has its program, or null before the download. */
function installed(folder: string): string | null {
  const note = join(folder, 'path.txt');
  if (!existsSync(note)) return null;
  const path = join(folder, 'dist', readFileSync(note, 'utf8'));
  return existsSync(path) ? path : null;
}

import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forkProcess } from './fork-process.ts';
import type { SpawnReader } from './spawn-reader.ts';

/** What the program itself is read from. */
const program = [
  new URL('../../src-main/', import.meta.url),
  new URL('../../src-shared/', import.meta.url),
  new URL('../../node_modules/', import.meta.url),
  new URL('../../package.json', import.meta.url),
].map((url) => fileURLToPath(url));

/**
 * SpawnReader over a Node child process under Node's permission model: it reads its own program and `folder`, starts nothing, and
 * writes nothing but into `scratch`, folders of what can all be made again. `entry` is the reader's program.
 */
export function forkReader(
  entry: string = fileURLToPath(new URL('../reader/main.ts', import.meta.url)),
  scratch: readonly string[] = [],
): SpawnReader {
  return (folder, maxBytes) => {
    const own = scratch.flatMap((path) => [path, real(path)]);
    const readable = [...program, dirname(entry), folder, ...own].flatMap((path) => [path, real(path)]);
    return forkProcess(entry, {
      args: [String(maxBytes)],
      // Decoders are native modules. The model does not hold these back; it does hold what is read by JavaScript.
      flags: [
        '--permission',
        '--allow-addons',
        '--disable-warning=SecurityWarning',
        ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
        ...[...new Set(own)].map((path) => `--allow-fs-write=${path}`),
      ],
      env: environment(),
    });
  };
}

/** Nothing of the person's environment but what a process needs to start and a test to find its way. */
function environment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'SystemRoot', 'TMPDIR', 'TEMP', 'LANG', 'LD_LIBRARY_PATH'];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

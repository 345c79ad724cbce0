/** Packages the desktop app for this platform into `dist/packages`: `npm run dist`, or `npm run dist -- --linux deb`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

await bundle();
const builder = fileURLToPath(new URL('../../node_modules/electron-builder/cli.js', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [builder, '--config', 'electron-builder.yml', '--publish', 'never', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0)
  console.error(
    'The app is bundled in dist/electron but not packaged: electron-builder needs a network for Electron and its tools the first time.',
  );
process.exitCode = status ?? 1;

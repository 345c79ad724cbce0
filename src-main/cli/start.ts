/** `npm start`: the desktop app where Electron can be had and a screen is there, else the same app in a browser. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { defaultHome } from '../hosts/default-home.ts';
import { serve } from './commands/serve.ts';
import { electronBinary } from './electron-binary.ts';
import { number } from './session.ts';

interface Options {
  home: string;
  port: number;
  browser?: boolean;
  allow?: string[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));

const { home, port, browser, allow } = new Command('npm start --')
  .description('Opens the app: in its own window where Electron can be had, else in a browser.')
  .option('--browser', 'serve it on 127.0.0.1 for a browser')
  .option('--home <dir>', 'data folder', defaultHome)
  .option('--port <n>', 'port of the browser version (default: any free one)', number, 0)
  .option(
    '--allow <folder...>',
    'browser version: folders whose files it may use (default: your home folder)',
  )
  .parse()
  .opts<Options>();

const electron = browser ? null : await electronBinary(createRequire(import.meta.url).resolve('electron'));
if (electron === null || 'reason' in electron) {
  if (electron) console.error(`No window of its own (${electron.reason}): serving the app for a browser.`);
  await serve({ home, port, allow });
} else {
  const { bundle } = await import('../../resources/scripts/bundle.ts');
  await bundle();
  const child = spawn(electron.path, [root, `--home=${resolve(home)}`], { stdio: 'inherit' });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

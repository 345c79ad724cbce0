#!/usr/bin/env node
// Starts the command line under a Node that can run it: this one from version 24 on, else the one the project brought.
// Plain JavaScript without dependencies: it must be readable by any Node, with nothing installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const itself = fileURLToPath(import.meta.url);
const here = dirname(itself);
const main = join(here, 'main.ts');
const root = join(here, '..', '..');
const own = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Ends with the exit code of a failure, saying how to set up. */
function needsSetup(why) {
  console.error(`${why}\nRun: npm run setup`);
  process.exit(1);
}

if (!existsSync(join(root, 'node_modules', 'commander'))) needsSetup('Nothing is installed yet.');
if (Number(process.versions.node.split('.')[0]) >= 24) {
  // The next start finds its modules compiled, in the system's temporary folder.
  module.enableCompileCache();
  await import(pathToFileURL(main).href);
} else {
  if (!existsSync(own))
    needsSetup(`Node ${process.versions.node} is too old, and the project's own Node is not installed yet.`);
  const child = spawn(own, [itself, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => needsSetup(`The project's own Node cannot be started: ${error.message}.`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

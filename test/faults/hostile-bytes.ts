/**
 * Files, frames and requests of random damage, given to every reader: each ends with an error for a person or a result, within
 * bounds of time and memory, and without touching anything else.
 */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Heard } from './hostile-worker.ts';

/** Reading one of these small files takes milliseconds; a loaded machine may take a thousand times as long. */
const timeBoundMs = 20_000;

interface HostileFigures {
  inputs: number;
  crashes: string[];
  hangs: string[];
  escapes: string[];
}

export async function mutateInputs(
  inputs: number,
  seed: number,
  tell: (line: string) => void,
): Promise<HostileFigures> {
  const root = mkdtempSync(join(tmpdir(), 'cotune-hostile-'));
  writeFileSync(join(root, 'secret.txt'), `a secret ${root}`);
  const folder = join(root, 'inside');
  const figures: HostileFigures = { inputs: 0, crashes: [], hangs: [], escapes: [] };
  try {
    while (figures.inputs < inputs) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      figures.inputs = await readFrom(folder, seed, figures, inputs, tell);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return figures;
}

/** Reads inputs from `figures.inputs` on until one ends the process; the index to go on from. */
function readFrom(
  folder: string,
  seed: number,
  figures: HostileFigures,
  inputs: number,
  tell: (line: string) => void,
): Promise<number> {
  const program = fileURLToPath(new URL('./hostile-worker.ts', import.meta.url));
  const child = fork(program, [folder, seed, figures.inputs, inputs].map(String), {
    execArgv: ['--max-old-space-size=512'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  let at = { index: figures.inputs, reader: 'none' };
  let done = false;
  let hung = false;
  let watchdog: NodeJS.Timeout;
  const watch = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, timeBoundMs);
  };
  watch();
  child.on('message', (heard: Heard) => {
    watch();
    if (heard.type === 'reading') {
      at = heard;
      if (heard.index > 0 && heard.index % 1000 === 0) tell(`inputs ${heard.index}/${inputs}`);
    } else if (heard.type === 'done') done = true;
    else (heard.type === 'crash' ? figures.crashes : figures.escapes).push(heard.message);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(watchdog);
      if (done) return resolve(inputs);
      const where = `${at.reader} ${at.index}`;
      if (hung) figures.hangs.push(`${where}: no answer within ${timeBoundMs / 1000} s`);
      else figures.crashes.push(`${where}: the process ended (${signal ?? code}): ${stderr}`);
      resolve(at.index + 1);
    });
  });
}

/**
 * Looks for faults: `npm run test:faults -- --kills 100 --inputs 10000 --seed 1`. Prints figures and ends with 1 where there is
 * a fault. A part of it runs within `npm test` (`faults.test.ts`).
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { add } from './figures.ts';
import { fillDisks } from './full-disk.ts';
import { mutateInputs } from './hostile-bytes.ts';
import { killRandomly } from './kills.ts';
import { race } from './races.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    inputs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const [kills, inputs, seed] = [values.kills, values.inputs, values.seed].map(Number);
if (![kills, inputs, seed].every((value) => Number.isInteger(value) && value >= 0)) {
  process.stderr.write(
    'usage: npm run test:faults -- [--kills N] [--inputs N] [--seed S], each a whole number\n',
  );
  process.exit(2);
}

const tell = (line: string) => process.stderr.write(`${line}\n`);
/** One in ten kills falls into a race of processes. */
const rounds = Math.floor(kills / 10);
const figures = await killRandomly(kills - rounds, seed, tell);
add(figures, await race(rounds, seed, 4000, tell));
const disks = await fillDisks(Math.ceil(kills / 5), seed, tell);
if (disks) add(figures, disks);
const bytes = await mutateInputs(inputs, seed, tell);

const table = {
  kills: figures.kills,
  'full and read-only disks': disks
    ? figures.refusals
    : 'skipped: a small disk is mounted as root on Linux only',
  lost: figures.lost.length,
  differing: figures.differing.length,
  inputs: bytes.inputs,
  crashes: figures.crashes.length + bytes.crashes.length,
  hangs: bytes.hangs.length,
  escapes: bytes.escapes.length,
};
for (const [name, value] of Object.entries(table)) process.stdout.write(`${name.padEnd(26)}${value}\n`);
process.stdout.write(`seed ${seed}, ${cpus()[0]?.model}\n`);
const faults = [
  figures.lost,
  figures.differing,
  figures.crashes,
  bytes.crashes,
  bytes.hangs,
  bytes.escapes,
].flat();
for (const fault of faults) process.stdout.write(`  ${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

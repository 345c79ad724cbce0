/**
 * Reads mutated files one after another, in a process that may crash or hang: it says before each which it is. Usage:
 * hostile-worker.ts FOLDER SEED FROM TO.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dice } from './dice.ts';
import { mutate } from './mutate.ts';
import { Escape, isAnswer, openReaders } from './readers.ts';

/** More than any of these small files may take beyond what was there. */
const memoryBound = 600 * 2 ** 20;

export type Heard =
  | { type: 'reading'; index: number; reader: string }
  | { type: 'crash' | 'escape'; message: string }
  | { type: 'done' };

const [folder, seed, from, to] = process.argv.slice(2);
const say = (heard: Heard) => process.send!(heard);
const secret = join(dirname(folder), 'secret.txt');
const { readers, close } = await openReaders(folder, secret);
const before = readFileSync(secret, 'utf8');
const outside = readdirSync(dirname(folder)).length;
process.on('uncaughtException', (error) => say({ type: 'crash', message: `uncaught: ${error.stack}` }));
process.on('unhandledRejection', (error) =>
  say({ type: 'crash', message: `unhandled: ${(error as Error)?.stack}` }),
);

for (let index = Number(from); index < Number(to); index++) {
  // What an input is follows from (seed, index): one that is found can be made again.
  const random = dice(Number(seed) * 1_000_003 + index);
  const reader = readers[index % readers.length];
  say({ type: 'reading', index, reader: reader.name });
  const bytes = mutate(random.pick(reader.seeds), reader.seeds, random);
  const path = join(folder, `input${reader.end}`);
  writeFileSync(path, bytes);
  const rss = process.memoryUsage.rss();
  try {
    await reader.read(path, bytes);
  } catch (error) {
    const { stack } = error as Error;
    if (error instanceof Escape)
      say({ type: 'escape', message: `${reader.name} ${index}: ${error.message}` });
    else if (!isAnswer(error)) say({ type: 'crash', message: `${reader.name} ${index}: ${stack ?? error}` });
  }
  const grown = process.memoryUsage.rss() - rss;
  if (grown > memoryBound)
    say({
      type: 'crash',
      message: `${reader.name} ${index}: took ${Math.round(grown / 2 ** 20)} MiB for ${bytes.length} bytes`,
    });
  rmSync(path, { force: true });
  if (
    Object.keys(Object.prototype).length > 0 ||
    readFileSync(secret, 'utf8') !== before ||
    readdirSync(dirname(folder)).length !== outside
  )
    say({ type: 'escape', message: `${reader.name} ${index}: something outside of the reader changed` });
}
await close();
process.send!({ type: 'done' } satisfies Heard, () => process.exit(0));

/** Measured times between processes: one small file, `engine-times.json`, by machine and engine. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../formats/write-whole.ts';

const Times = z.record(
  z.string(),
  z.object({
    /** Milliseconds of a probe step. */
    ms: z.number().positive(),
    slope: z.number(),
    /** When it was measured, ISO 8601. */
    at: z.string(),
  }),
);
type Times = z.infer<typeof Times>;
const Machines = z.record(z.string(), Times);

/** Times of a machine by engine; none where there is no folder, or no readable file. */
export function recallTimes(machine: string, folder: string | undefined): Times {
  return { ...recall(folder)[machine] };
}

export function rememberTimes(machine: string, times: Times, folder: string | undefined): void {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ ...recall(folder), [machine]: times });
  writeWhole(pathIn(folder), [Buffer.from(text)]);
}

const pathIn = (folder: string): string => join(folder, 'engine-times.json');

function recall(folder: string | undefined): z.infer<typeof Machines> {
  if (!folder) return {};
  try {
    return Machines.parse(JSON.parse(readFileSync(pathIn(folder), 'utf8')));
  } catch {
    // Absent, or written by another version: a cache that cannot be read is measured anew.
    return {};
  }
}

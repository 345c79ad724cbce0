import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Checkpoint } from '../store/checkpoints.ts';
import { bestOf, checkpointStep, type Said, saidBefore } from '../trainer/checkpoint.ts';
import type { Base } from './base.ts';

type Kept = Pick<Base, 'store' | 'home'>;

/** How many checkpoints of a run are kept: the newest, and the one before in case that the newest is damaged. */
const checkpointsKept = 2;

/** Stores a checkpoint that a trainer wrote, for good. What it replaces goes with `removeReplaced`. */
export function recordCheckpoint(kept: Kept, run: number, path: string, best: string | null): void {
  const { store, home } = kept;
  const step = checkpointStep(path);
  const file = statSync(path, { throwIfNoEntry: false });
  if (step === undefined || !file) return;
  const stored = home.toStored(path);
  const before = store.checkpoints.list(run).find((one) => one.step === step);
  store.checkpoints.insert(run, {
    step,
    path: stored,
    bytes: file.size,
    best: best && home.toStored(best),
  });
  // Of an attempt before this one, which the row no longer names.
  if (before && before.path !== stored) rmSync(home.fromStored(before.path), { force: true });
}

/** Removes the checkpoints that a newer one on record has replaced, and the best weights that only they name. */
export function removeReplaced({ store, home }: Kept, run: number): void {
  const all = store.checkpoints.list(run);
  const needed = new Set(all.slice(0, checkpointsKept).map(({ best }) => best));
  for (const { step, path, best } of all.slice(checkpointsKept)) {
    rmSync(home.fromStored(path), { force: true });
    if (best !== null && !needed.has(best)) rmSync(home.fromStored(best), { force: true });
    store.checkpoints.remove(run, step);
  }
}

/**
 * The newest checkpoint of a run that is whole on disk. Rows whose files are not are removed; files that no service lived to
 * record are recorded now.
 */
export function newestCheckpoint(kept: Kept, run: number): Checkpoint | undefined {
  const { store, home } = kept;
  for (const { step, path, bytes } of store.checkpoints.list(run)) {
    const file = statSync(home.fromStored(path), { throwIfNoEntry: false });
    if (file?.size === bytes) continue;
    rmSync(home.fromStored(path), { force: true });
    store.checkpoints.remove(run, step);
  }
  takeUp(kept, run);
  return store.checkpoints.list(run)[0];
}

/**
 * Records checkpoints that are whole on disk but not on record, with what their trainer said since the checkpoint before: points
 * of curves would be missing for ever otherwise. One whose predecessor is not on record, or whose relationship is not, stays
 * out: more is missing than it brings.
 */
function takeUp(kept: Kept, run: number): void {
  const { store, home } = kept;
  let newest = store.checkpoints.list(run)[0]?.step ?? 0;
  for (const { step, path } of checkpointsOnDisk(home.runFolder(run))) {
    if (step <= newest) continue;
    const said = readSaid(path);
    if (said?.after !== newest) continue;
    if (said.relationship && store.runs.get(run)?.relationshipId === null) return;
    store.durably(() => {
      for (const message of said.messages)
        if (message.type === 'note') store.runNotes.insert(run, message.text);
        else store.metrics.insert(run, message.step, message.values);
      recordCheckpoint(kept, run, path, bestOf(path));
    });
    newest = step;
  }
  removeReplaced(kept, run);
}

/** Files of checkpoints of every attempt at a run, by step. */
function checkpointsOnDisk(folder: string): { step: number; path: string }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .flatMap((name) => {
      const path = join(folder, name);
      const step = checkpointStep(path);
      return step === undefined ? [] : [{ step, path }];
    })
    .sort((a, b) => a.step - b.step);
}

/** What was said before a checkpoint; nothing where it cannot be read: then it cannot be gone on from either. */
function readSaid(path: string): Said | undefined {
  try {
    return saidBefore(path);
  } catch {
    return undefined;
  }
}

/** Removes everything that a finished run, now on record, needs no more: all but weights and predictions. Done again it does no harm. */
export function keepOnlyWeights({ store, home }: Kept, run: number): void {
  const weights = store.runs.record(run)?.weights;
  if (!weights) return;
  const kept = [weights, ...store.predictions.files(run)].map((path) => home.fromStored(path));
  removeAllBut(kept, home.runFolder(run));
  // The rows go last: as long as they are there, the next service does this again.
  store.checkpoints.clear(run);
}

/** Does what services before this one did not live to do: removes files of runs that are finished or deleted. */
export function removeLeftovers(kept: Kept): void {
  const { store, home } = kept;
  for (const run of store.checkpoints.ofFinished()) keepOnlyWeights(kept, run);
  for (const run of store.runs.deletedIds()) {
    if (existsSync(home.runFolder(run))) rmSync(home.runFolder(run), { recursive: true, force: true });
  }
}

function removeAllBut(kept: readonly string[], folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    if (kept.some((one) => one.startsWith(path + sep))) removeAllBut(kept, path);
    else if (!kept.includes(path)) rmSync(path, { recursive: true, force: true });
  }
}

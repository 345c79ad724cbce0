import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { labelCheck } from './label-check.ts';
import { openSource } from './open-source.ts';
import type { CheckJob, FromTrainer } from './protocol.ts';

/** Looks for likely wrong labels, and for images alike by their features, with linear probes of a pre-trained network. */
export async function checkDataset(
  { engine: wanted, model, samples, classNames, cacheFolder }: CheckJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await openEngine(wanted, { cacheFolder });
  const source = { engine, ...openSource(model, classNames.length) };
  const checked = { samples, classNames, cacheFolder, unusable: leaveOut(samples) };
  const result = await labelCheck(source, { model, precision: 'full' }, checked, report, signal);
  await engine.dispose();
  report({ type: 'checked', result });
}

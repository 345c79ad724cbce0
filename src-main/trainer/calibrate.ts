import { CotuneError } from '../../src-shared/errors.ts';
import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { fitTemperature, meanNll, temperatureBounds } from '../transfer/temperature.ts';
import { evaluatedOutputs } from './evaluated-outputs.ts';
import { openSource } from './open-source.ts';
import type { CalibrationJob, FromTrainer } from './protocol.ts';

/**
 * Fits the temperature of a network's source predictions by NLL on images whose source classes are known (Guo et al. 2017).
 * Errors: `bad-input` where no temperature is the best, since the network is right on every image, or no better than chance.
 */
export async function calibrate(
  job: CalibrationJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, samples, cacheFolder } = job;
  const engine = await openEngine(job.engine, { cacheFolder });
  const { network, file } = openSource(model, 2);
  const predictor = { model, precision: 'full' as const };
  const unusable = leaveOut(samples);
  const { samples: used, logits: data } = await evaluatedOutputs(
    { engine, network, file },
    predictor,
    { samples, cacheFolder, unusable },
    'source',
    report,
    signal,
  );
  await engine.dispose();
  const logits = { data, rows: used.length, columns: network.sourceClasses };
  const labels = used.map((sample) => sample.label);
  const temperature = fitTemperature(logits, labels);
  const [coldest, hottest] = temperatureBounds;
  if (temperature < 1.01 * coldest || temperature > 0.99 * hottest) {
    throw new CotuneError(
      'bad-input',
      temperature > 1
        ? `On these ${used.length} images the network is no better than chance, so that no temperature fits.`
        : `The network is right on all of these ${used.length} images, so that no temperature is the best.`,
      temperature > 1
        ? 'Check that the folders are named after its source classes.'
        : 'Give more images, which it was not trained on.',
    );
  }
  const [nllBefore, nllAfter] = [meanNll(logits, labels, 1), meanNll(logits, labels, 1 / temperature)];
  const fit = { temperature, nllBefore, nllAfter, notes: unusable.notes() };
  const without = samples.filter(({ path }) => unusable.has(path)).map(({ id }) => id);
  report({ type: 'calibration', fit, without });
}

import type { Measurement, Model } from '../../src-shared/domain.ts';
import { bytes, quantity } from '../format.ts';

/** What was measured of a network, in a line. */
export function measuredText(
  { trainingImagesPerS, inferenceImagesPerS, trainingBytes }: Measurement,
  { text }: Pick<Model, 'text'>,
): string {
  const rate = (perS: number) => `${quantity(Number(perS.toPrecision(3)))} ${text ? 'texts' : 'images'}/s`;
  return `trains ${rate(trainingImagesPerS)}, predicts ${rate(inferenceImagesPerS)}, a step takes ${bytes(trainingBytes)}`;
}

/** What a measured step was of. */
export const measuredBatch = ({ batch, size }: Measurement, { text }: Pick<Model, 'text'>): string =>
  text ? `${batch} texts of ${size} pieces` : `${batch} images of ${size} px`;

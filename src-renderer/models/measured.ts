import type { Measurement } from '../../src-shared/domain.ts';
import { bytes, quantity } from '../format.ts';

/** What was measured, in a line. */
export const measuredText = ({
  trainingImagesPerS,
  inferenceImagesPerS,
  trainingBytes,
}: Measurement): string =>
  `trains ${quantity(Number(trainingImagesPerS.toPrecision(3)))} images/s, predicts ${quantity(Number(inferenceImagesPerS.toPrecision(3)))} images/s, a step takes ${bytes(trainingBytes)}`;

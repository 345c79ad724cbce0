import type { Measurement } from '../../src-shared/domain.ts';
import { bytes, quantity } from '../format.ts';

const rate = (imagesPerS: number) => `${quantity(Number(imagesPerS.toPrecision(3)))} images/s`;

/** What was measured, in a line. */
export const measuredText = ({
  trainingImagesPerS,
  inferenceImagesPerS,
  trainingBytes,
}: Measurement): string =>
  `trains ${rate(trainingImagesPerS)}, predicts ${rate(inferenceImagesPerS)}, a step takes ${bytes(trainingBytes)}`;

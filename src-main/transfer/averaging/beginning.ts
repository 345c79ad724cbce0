import type { RunConfig } from '../../../src-shared/domain.ts';
import { termsOf } from '../catalog.ts';

/**
 * Tells networks apart by what they were trained from: the pre-trained network, what terms put in place of it, and the seed of
 * whatever was drawn. Weights of different beginnings have nothing to do with each other, and their mean is no network.
 */
export function beginningOf({ config, modelHash }: { config: RunConfig; modelHash: string }): string {
  const begun = termsOf(config.method, config.extras).filter(({ term }) => term.begins);
  const isDrawn = !begun.some(({ term }) => term.begins === 'images');
  return JSON.stringify([modelHash, begun.map(({ term }) => term.name), isDrawn ? config.seed : null]);
}

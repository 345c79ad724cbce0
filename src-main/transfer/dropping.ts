import type { MaskSite } from '../backbones/backbone.ts';
import type { Random } from '../data/random.ts';
import type { Arrays, Specs } from '../engine/engine.ts';
import type { BatchShape } from './term.ts';

/** A site with the share that is dropped there. */
export type Dropping = Pick<MaskSite, 'name' | 'of' | 'features' | 'rate'>;

/** Inputs for the masks of sites: [batch, features] or [batch], under the sites' names. */
export const maskSpecs = (sites: readonly Dropping[], { batch }: BatchShape): Specs =>
  Object.fromEntries(
    sites.map(({ name, of, features }) => [
      name,
      { shape: of === 'element' ? [batch, features] : [batch], dtype: 'float32' as const },
    ]),
  );

/** Masks for one step: 0 with probability `rate`, else 1 / (1 − rate), so that the mean stays. */
export const drawnMasks = (sites: readonly Dropping[], { batch }: BatchShape, random: Random): Arrays =>
  Object.fromEntries(
    sites.map(({ name, of, features, rate }) => [
      name,
      Float32Array.from({ length: of === 'element' ? batch * features : batch }, () =>
        random() < rate ? 0 : 1 / (1 - rate),
      ),
    ]),
  );

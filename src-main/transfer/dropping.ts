import type { MaskSite } from '../backbones/backbone.ts';
import type { Random } from '../data/random.ts';
import type { Arrays, Specs } from '../engine/engine.ts';
import type { BatchShape } from './step-input.ts';

/** A site with the share that is dropped there. */
export type Dropping = Pick<MaskSite, 'name' | 'of' | 'features' | 'rate'>;

/** Shape of a site's mask; a text's length is its size. */
function shapeOf({ of, features }: Dropping, { batch, size }: BatchShape): number[] {
  if (of === 'image') return [batch];
  if (of === 'element') return [batch, features];
  return of === 'value' ? [batch, size, features] : [batch, features, size, size];
}

/** Inputs for the masks of sites, under the sites' names. */
export const maskSpecs = (sites: readonly Dropping[], shape: BatchShape): Specs =>
  Object.fromEntries(sites.map((site) => [site.name, { shape: shapeOf(site, shape), dtype: 'float32' }]));

/** Masks for one step: 0 with probability `rate`, else 1 / (1 − rate), so that the mean stays. */
export const drawnMasks = (sites: readonly Dropping[], shape: BatchShape, random: Random): Arrays =>
  Object.fromEntries(sites.map((site) => [site.name, drawnMask(shapeOf(site, shape), site.rate, random)]));

/**
 * One mask. The numbers of values that are kept between two that are dropped are geometric (Devroye 1986, Non-Uniform Random Variate
 * Generation, X.2): a draw for each that is dropped, where one for every value of a text's masks would cost more than its step.
 */
function drawnMask(shape: readonly number[], rate: number, random: Random): Float32Array {
  const mask = new Float32Array(shape.reduce((a, b) => a * b)).fill(1 / (1 - rate));
  const scale = 1 / Math.log1p(-rate);
  // 1 - u is never zero.
  const kept = () => Math.floor(scale * Math.log(1 - random()));
  for (let at = kept(); at < mask.length; at += 1 + kept()) mask[at] = 0;
  return mask;
}

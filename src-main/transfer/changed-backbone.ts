import type { Backbone, Padding } from '../backbones/backbone.ts';
import { buildBackbone } from '../backbones/build.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import type { ChosenTerm } from './term.ts';

/** The backbone of a pre-trained network as `terms` change it. */
export function changedBackbone(
  file: NetworkFile,
  padding: Padding,
  terms: readonly ChosenTerm[] = [],
): Backbone {
  const description = terms.reduce(
    (before, { term, options }) => term.describe?.(before, options) ?? before,
    file.description,
  );
  return description === file.description ? file.backbone : buildBackbone(description, padding);
}

import type { Model, NetworkTraits } from '../../src-shared/domain.ts';
import { layerTraits } from '../../src-shared/names.ts';
import type { Backbone } from './backbone.ts';
import { buildBackbone } from './build.ts';
import { createBackbone } from './index.ts';
import { bert } from './networks/bert.ts';
import { partsOf } from './parts.ts';

const known = new Map<string, NetworkTraits>();

/** What parts of a training depend on, of a network by its architecture, or by a BERT's numbers. Errors: `not-found`. */
export function traitsOf({ architecture, text }: Pick<Model, 'architecture' | 'text'>): NetworkTraits {
  const traits =
    known.get(architecture) ??
    (text
      ? traitsIn(buildBackbone(bert(text, 'pieces'), 'symmetric'), 'texts')
      : traitsIn(createBackbone({ architecture, padding: 'symmetric', width: 1 }), 'images'));
  known.set(architecture, traits);
  return traits;
}

/** Whether the scores of a network go through a ReLU. */
export const rectifiesScores = ({ architecture, text }: Pick<Model, 'architecture' | 'text'>): boolean =>
  !text && createBackbone({ architecture, padding: 'symmetric', width: 1 }).rectifiesScores;

function traitsIn(backbone: Backbone, takes: 'images' | 'texts'): NetworkTraits {
  const has: Record<NetworkTraits['has'][number], boolean> = {
    images: takes === 'images',
    'batch-norm': backbone.tensors.some(({ kind }) => kind === 'running'),
    blocks: backbone.blocks.length > 0,
    attention: backbone.attentions.length > 0,
    dropout: backbone.masks.some(({ of, rate }) => of !== 'image' && rate > 0),
    'linear-head': backbone
      .headTensors('head', 2)
      .every(({ kind }) => kind === 'linear' || kind === 'vector'),
    'stochastic-depth': backbone.masks.some(({ of, rate }) => of === 'image' && rate > 0),
  };
  return {
    has: layerTraits.filter((trait) => has[trait]),
    blocks: partsOf(backbone).length,
  };
}

import type { Model, NetworkTraits } from '../../src-shared/domain.ts';
import { layerTraits } from '../../src-shared/names.ts';
import type { Backbone } from './backbone.ts';
import { buildBackbone } from './build.ts';
import { createBackbone } from './index.ts';
import { bert } from './networks/bert.ts';
import { partsOf } from './parts.ts';

interface Known {
  traits: NetworkTraits;
  rectifiesScores: boolean;
}

const known = new Map<string, Known>();

/** What parts of a training depend on, of a network by its architecture, or by a BERT's numbers. Errors: `not-found`. */
export const traitsOf = (model: Pick<Model, 'architecture' | 'text'>): NetworkTraits => knownOf(model).traits;

/** Whether the scores of a network go through a ReLU. Errors: as above. */
export const rectifiesScores = (model: Pick<Model, 'architecture' | 'text'>): boolean =>
  knownOf(model).rectifiesScores;

function knownOf({ architecture, text }: Pick<Model, 'architecture' | 'text'>): Known {
  const before = known.get(architecture);
  if (before) return before;
  const backbone = text
    ? buildBackbone(bert(text, 'pieces'), 'symmetric')
    : createBackbone({ architecture, padding: 'symmetric', width: 1 });
  const { rectifiesScores } = backbone;
  const found = { traits: traitsIn(backbone, text ? 'texts' : 'images'), rectifiesScores };
  known.set(architecture, found);
  return found;
}

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

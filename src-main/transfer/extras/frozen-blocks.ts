import { z } from 'zod';
import { partsOf } from '../../backbones/parts.ts';
import { term } from '../term.ts';

/**
 * The stem and the first blocks stay as they are: not trained, batch norm with the pre-trained statistics, nothing dropped.
 * Yosinski et al., «How transferable are features in deep neural networks?», NeurIPS 2014 (its AnB networks).
 */
export const frozenBlocks = term({
  name: 'frozen-blocks',
  title: 'Frozen blocks',
  help: 'keeps the stem and the first blocks of the backbone as they were pre-trained',
  formula: 'CE(H(F(x)), y_t) over the blocks behind the first n, and H',
  when: 'images like those of the source, few labels, or little time: a step is shorter and takes less memory; with a fixed crop and no augmentation whole frozen stages run once for every image instead of at every step',
  source:
    'Yosinski et al., «How transferable are features in deep neural networks?», NeurIPS 2014 (networks AnB); n = 1 is the least that it means',
  options: z.strictObject({
    blocks: z.number().int().min(1).default(1).meta({
      title: 'Blocks',
      description:
        'how many blocks stay as they are, from the front; with all of them only the head is trained',
      most: 'blocks',
    }),
  }),
  needs: ['pretrained-weights'],
  freezes: (name, { backbone }, { blocks }) =>
    partsOf(backbone)
      .slice(0, blocks)
      .some((fronts) => fronts.some((front) => name === front || name.startsWith(`${front}.`))),
});

import { z } from 'zod';
import { stageOf } from '../../backbones/backbone.ts';
import { term } from '../term.ts';

/**
 * Layer-wise learning rates: lr · d^(5 − l) for stage l of the backbone, 0 the stem and 4 the last; heads keep their rate.
 * Howard and Ruder, «ULMFiT», ACL 2018, section 3.2 (discriminative fine-tuning); by groups of layers as in Clark et al.,
 * «ELECTRA», ICLR 2020, where they are blocks.
 */
export const layerDecay = term({
  name: 'layer-decay',
  title: 'Layer-wise rates',
  help: 'gives earlier stages of the backbone smaller learning rates',
  formula: 'lr · d^(5 − l) for stage l, from 0 (the stem) to 4; lr for heads',
  when: 'target images like those of the source, whose early features fit as they are',
  source:
    'Howard and Ruder, «Universal Language Model Fine-tuning for Text Classification», ACL 2018, section 3.2; d as in the fine-tuning of masked autoencoders (ViT-B), by stages instead of blocks',
  options: z.strictObject({
    decay: z.number().gt(0).max(1).default(0.65).meta({
      title: 'Decay d',
      description: 'factor on the learning rate from each stage to the one before',
    }),
  }),
  rate(tensor, { backbone }, { decay }) {
    const stage = stageOf(backbone, tensor);
    return stage === null ? 1 : decay ** (backbone.stages.length - stage);
  },
});

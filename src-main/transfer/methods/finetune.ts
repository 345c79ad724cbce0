import { z } from 'zod';
import { term } from '../term.ts';

/** Plain fine-tuning, the baseline: loss = CE(H(F(x)), y_t). It adds no term. */
export const finetune = term({
  name: 'finetune',
  title: 'Fine-tuning',
  help: 'a new head on the pre-trained backbone, all of it trained: what every other method is compared with',
  formula: 'CE(H(F(x)), y_t)',
  when: 'always, as the baseline',
  source: 'Yosinski et al., «How transferable are features in deep neural networks?», NeurIPS 2014',
  options: z.strictObject({}),
  isPlain: true,
});

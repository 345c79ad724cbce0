import { z } from 'zod';
import { probedHead } from '../linear-probe.ts';
import { term } from '../term.ts';

/**
 * A linear classifier on the frozen backbone's features, at the exact optimum of
 *   C Σ_i −log softmax(W F(x_i) + b)[y_i] + ½ ‖W‖².
 * Kumar, Raghunathan, Jones, Ma, Liang, ICLR 2022, section 2 (linear probing).
 */
export const linearProbe = term({
  name: 'linear-probe',
  title: 'Linear probe',
  help: 'keeps the backbone as it is and solves for the best linear head on its features, without any training steps',
  formula:
    'min over W, b of C Σ −log softmax(W F(x) + b)[y_t] + ½ ‖W‖², C by validation accuracy, of equals by NLL',
  when: 'always, first: it takes a minute, and what training gains is the difference',
  source:
    'Kumar, Raghunathan, Jones, Ma, Liang, «Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution», ICLR 2022, section 2',
  options: z.strictObject({}),
  needs: ['linear-head'],
  closedForm: true,
  isBaseline: true,
  begins: 'images',
  prepares: 'solving for the linear head',
  prepare: async (preparation) => ({ network: await probedHead(preparation) }),
});

import { z } from 'zod';
import { softenedDivergence } from '../distillation.ts';
import { term } from '../term.ts';

/**
 * Learning without forgetting: the source head goes on saying what it said before training. Li and Hoiem, «Learning without Forgetting»,
 * ECCV 2016, equation 2. What it said is asked of a frozen copy for the very crop that is trained on.
 */
export const lwf = term({
  name: 'lwf',
  title: 'Learning without forgetting',
  help: 'keeps the source head saying of every image what the pre-trained network says of the same crop',
  formula: 'CE(H(F(x)), y_t) + λ · KL(softmax(G⁰_s(F⁰(x)) / T) ‖ softmax(G_s(F(x)) / T))',
  when: 'few labels, or a network that should go on knowing its source classes; it costs a forward pass of a frozen copy at each step',
  source:
    'Li and Hoiem, «Learning without Forgetting», ECCV 2016, equation 2; λ and T as in TLlib’s scripts, whose teacher saw one random crop once',
  options: z.strictObject({
    tradeOff: z
      .number()
      .min(0)
      .max(1000)
      .default(4)
      .meta({
        title: 'Trade-off λ',
        description: 'weight of what the source head said before',
        strength: [1, 0.1, 0.3, 3],
      }),
    temperature: z
      .number()
      .gt(0)
      .max(100)
      .default(3)
      .meta({ title: 'Temperature T', description: 'how much the source head’s scores are evened out' }),
  }),
  needs: ['pretrained-weights', 'source-head'],
  recallsLogits: true,
  loss: ({ sourceLogits, beside, source }, _, { tradeOff, temperature }) => ({
    curve: 'forgetting_loss',
    value: softenedDivergence(sourceLogits!, beside.sourceLogits!, temperature, source.counts),
    weight: tradeOff,
  }),
});

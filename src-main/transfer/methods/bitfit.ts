import { z } from 'zod';
import { belongsToHead } from '../network.ts';
import { term } from '../term.ts';

/**
 * BitFit: of the backbone only vectors are trained, which are biases and the scales and shifts of normalizations; filters and
 * matrices stay as they are. Ben Zaken, Ravfogel, Goldberg, «BitFit», ACL 2022, section 3.
 */
export const bitfit = term({
  name: 'bitfit',
  title: 'BitFit',
  help: 'trains the new head and, of the backbone, only biases and the scales and shifts of normalizations',
  formula: 'CE(H(F(x)), y_t) over biases, normalizations and H',
  when: 'very few labels, or many tasks that share a backbone; the learning rate may be ten times that of fine-tuning',
  source:
    'Ben Zaken, Ravfogel, Goldberg, «BitFit: Simple Parameter-efficient Fine-tuning», ACL 2022, section 3',
  options: z.strictObject({}),
  needs: ['pretrained-weights'],
  trains: ({ name, kind }, network) => kind === 'vector' || belongsToHead(network, name),
});

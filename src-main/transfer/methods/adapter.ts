import { z } from 'zod';
import { newestAdapter, withAdapter } from '../../backbones/adapters.ts';
import type { Backbone, TensorDescription } from '../../backbones/backbone.ts';
import { normalOf, randomOf } from '../../data/random.ts';
import { belongsToHead } from '../network.ts';
import { term } from '../term.ts';

/**
 * Adapters: a residual bottleneck at the end of every block, trained with the norms' scales and shifts and the heads; everything
 * else stays as it is. W_up begins at zero, so that training begins with the pre-trained network. Houlsby et al.,
 * «Parameter-Efficient Transfer Learning for NLP», ICML 2019, with one adapter a block as in Pfeiffer et al., «AdapterFusion», EACL
 * 2021; on images Rebuffi, Bilen, Vedaldi, «Learning multiple visual domains with residual adapters», NIPS 2017.
 */
export const adapter = term({
  name: 'adapter',
  title: 'Adapters',
  help: 'trains a small bottleneck behind every block, normalizations and the new head; the backbone stays as it is',
  formula: 'x + W_up relu(W_down x), W_down to 1/r of the channels, W_up⁰ = 0',
  when: 'few labels, or many tasks that share a backbone; the trained network has layers of its own and is read by this program and as ONNX',
  source:
    'Houlsby et al., «Parameter-Efficient Transfer Learning for NLP», ICML 2019, figure 2; Rebuffi, Bilen, Vedaldi, «Learning multiple visual domains with residual adapters», NIPS 2017; one a block and r = 16 as in Pfeiffer et al., «AdapterFusion», EACL 2021',
  options: z.strictObject({
    reduction: z
      .number()
      .min(1)
      .max(1024)
      .default(16)
      .meta({
        title: 'Reduction r',
        description: 'how many times fewer channels a bottleneck has',
        strength: [1, 0.25, 4, 0.5],
      }),
  }),
  needs: ['pretrained-weights', 'blocks'],
  excludes: {
    bitfit: 'each of them leaves all but its own few parameters as they are.',
    lora: 'each of them leaves all but its own few parameters as they are.',
  },
  describe: (description, { reduction }) => withAdapter(description, { reduction }),
  // He et al., «Delving Deep into Rectifiers», ICCV 2015, equation 10: what the bottleneck makes is as large as what comes in.
  async prepare({ network: { backbone }, seed }) {
    const down = backbone.tensors.filter(
      ({ name }) => isNew(backbone, name) && name.endsWith('.down.weight'),
    );
    const drawn = ({ name, shape: [out, channels] }: TensorDescription) => {
      const random = randomOf(seed, `adapter ${name}`);
      const deviation = Math.sqrt(2 / channels);
      return Float32Array.from({ length: out * channels }, () => deviation * normalOf(random));
    };
    return { network: Object.fromEntries(down.map((tensor) => [tensor.name, drawn(tensor)])) };
  },
  trains: ({ name }, network) =>
    isNew(network.backbone, name) || isOfNorm(network.backbone, name) || belongsToHead(network, name),
});

/** Whether a tensor is of the adapters that this training adds: a network that was trained so before has others. */
const isNew = (backbone: Backbone, name: string): boolean => name.includes(newestAdapter(backbone)!);

/** Whether a tensor is a norm's scale or shift: a weight that is a vector, or the bias beside one. */
function isOfNorm({ tensors }: Backbone, name: string): boolean {
  const scale = name.replace(/\.bias$/, '.weight');
  return tensors.some((one) => one.name === scale && one.kind === 'vector' && scale.endsWith('.weight'));
}

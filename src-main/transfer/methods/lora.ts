import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { randomOf } from '../../data/random.ts';
import { belongsToHead, type Network } from '../network.ts';
import { term } from '../term.ts';

/** Projections of an attention layer as they are packed, and those that are adapted. */
const projections = ['query', 'key', 'value'] as const;
const adapted: readonly string[] = ['query', 'value'];

/**
 * LoRA: query and value projections of every attention layer are W + (α / r) · B A, of which A [r, d] and B [d, r] are trained, with
 * the heads; everything else stays as it is. B begins at zero. Hu et al., «LoRA: Low-Rank Adaptation of Large Language Models»,
 * ICLR 2022, equation 3. The trained network holds the sums, in the tensors that it had before. Without the dropout before A that
 * PEFT's example has: with it the sum would be no matrix.
 */
export const lora = term({
  name: 'lora',
  title: 'LoRA',
  help: 'trains a low-rank change of the query and value projections, and the new head; the trained network is an ordinary one',
  formula: 'W + (α / r) B A for W_q and W_v, B⁰ = 0',
  when: 'transformers, few labels or little memory; the learning rate may be ten times that of fine-tuning',
  source:
    'Hu et al., «LoRA: Low-Rank Adaptation of Large Language Models», ICLR 2022, equation 3; r and α as in PEFT’s image example',
  options: z.strictObject({
    rank: z
      .number()
      .int()
      .min(1)
      .max(1024)
      .default(16)
      .meta({ title: 'Rank r', description: 'rank of the change' }),
    alpha: z
      .number()
      .gt(0)
      .max(1e4)
      .default(16)
      .meta({
        title: 'Scale α',
        description: 'the change is multiplied by α / r',
        strength: [1, 0.5, 2, 4],
      }),
  }),
  needs: ['pretrained-weights', 'attention'],
  excludes: { bitfit: 'each of them leaves all but its own few parameters as they are.' },
  tensors: (network, { rank }) =>
    [...packedIn(network)].flatMap(([packed, width]) =>
      adapted.flatMap((projection) =>
        Object.entries(factorNames(packed, projection)).map(([factor, name]) => ({
          name,
          kind: 'linear' as const,
          shape: factor === 'a' ? [rank, width] : [width, rank],
          order: [1, 0],
        })),
      ),
    ),
  // Uniform within ±1/√d, as PEFT begins.
  async prepare({ network, seed }, { rank }) {
    const drawn = ([packed, width]: [string, number]) =>
      adapted.map((projection) => {
        const { a } = factorNames(packed, projection);
        const random = randomOf(seed, `lora ${a}`);
        const values = Float32Array.from(
          { length: rank * width },
          () => (2 * random() - 1) / Math.sqrt(width),
        );
        return [a, values] as const;
      });
    return { network: Object.fromEntries([...packedIn(network)].flatMap(drawn)) };
  },
  replace(name, tensor, network, { rank, alpha }) {
    const width = packedIn(network).get(name);
    if (width === undefined) return null;
    const whole = tensor(name) as tf.Tensor2D;
    const parts = projections.map((projection, index) => {
      const part = tf.slice(whole, [0, index * width], [width, width]);
      if (!adapted.includes(projection)) return part;
      // In tf.js layouts matrices are transposed: x (Aᵀ Bᵀ).
      const { a, b } = factorNames(name, projection);
      const change = tf.matMul(tensor(a) as tf.Tensor2D, tensor(b) as tf.Tensor2D);
      return tf.add(part, tf.mul(change, alpha / rank));
    });
    return tf.concat(parts, 1);
  },
  trains: ({ name }, network) =>
    belongsToHead(network, name) ||
    [...packedIn(network).keys()].some((packed) => name.startsWith(`${packed}.`)),
});

/** The packed projections of every attention layer, with their width. */
const packedIn = ({ backbone: { attentions, tensors } }: Network): Map<string, number> =>
  new Map(
    attentions.map((attention) => {
      const name = `${attention}.in_proj_weight`;
      return [name, tensors.find((tensor) => tensor.name === name)!.shape[1]];
    }),
  );

const factorNames = (packed: string, projection: string) => ({
  a: `${packed}.${projection}.a`,
  b: `${packed}.${projection}.b`,
});

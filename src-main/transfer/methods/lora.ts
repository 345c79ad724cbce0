import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { randomOf } from '../../data/random.ts';
import { belongsToHead, type Network } from '../network.ts';
import { term } from '../term.ts';

/** Projections that are adapted, by their places among query, key and value. */
const adapted = { query: 0, value: 2 } as const;

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
    changesIn(network).flatMap(({ a, b, width }) =>
      [a, b].map((name) => ({
        name,
        kind: 'linear' as const,
        shape: name === a ? [rank, width] : [width, rank],
        order: [1, 0],
      })),
    ),
  // Uniform within ±1/√d, as PEFT begins.
  async prepare({ network, seed }, { rank }) {
    const drawn = ({ a, width }: Change) => {
      const random = randomOf(seed, `lora ${a}`);
      const values = Float32Array.from({ length: rank * width }, () => (2 * random() - 1) / Math.sqrt(width));
      return [a, values] as const;
    };
    return { network: Object.fromEntries(changesIn(network).map(drawn)) };
  },
  replace(name, tensor, network, { rank, alpha }) {
    const changes = changesIn(network).filter(({ weight }) => weight === name);
    if (changes.length === 0) return null;
    const [{ width }] = changes;
    const whole = tensor(name) as tf.Tensor2D;
    const parts = Array.from({ length: whole.shape[1] / width }, (_, place) => {
      const part = tf.slice(whole, [0, place * width], [width, width]);
      const change = changes.find((one) => one.place === place);
      if (!change) return part;
      // In tf.js layouts matrices are transposed: x (Aᵀ Bᵀ).
      const [a, b] = [change.a, change.b].map((factor) => tensor(factor) as tf.Tensor2D);
      return tf.add(part, tf.mul(tf.matMul(a, b), alpha / rank));
    });
    return parts.length === 1 ? parts[0] : tf.concat(parts, 1);
  },
  trains: ({ name }, network) =>
    belongsToHead(network, name) || changesIn(network).some(({ weight }) => name.startsWith(`${weight}.`)),
});

/** What is added to a projection, and where: A and B, and the projection's place among those that its weight has packed. */
interface Change {
  weight: string;
  place: number;
  width: number;
  a: string;
  b: string;
}

const changesIn = ({ backbone: { attentions, tensors } }: Network): Change[] =>
  attentions.flatMap((weights) =>
    Object.entries(adapted).map(([projection, index]) => {
      const isPacked = weights.length === 1;
      const weight = weights[isPacked ? 0 : index];
      const width = tensors.find(({ name }) => name === weight)!.shape[1];
      const factor = (name: string) => `${weight}.${projection}.${name}`;
      return { weight, place: isPacked ? index : 0, width, a: factor('a'), b: factor('b') };
    }),
  );

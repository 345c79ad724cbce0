import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { term } from '../term.ts';

/**
 * Batch spectral shrinkage: η Σ_{i ≤ k} σ²_{−i}(F), the k smallest singular values of a batch's features F [batch, features].
 * Chen, Wang, Fu, Long, Wang, «Catastrophic Forgetting Meets Negative Transfer», NeurIPS 2019, equation 5; η and k as in its
 * code.
 */
export const bss = term({
  name: 'bss',
  title: 'Batch spectral shrinkage',
  help: 'presses on the weakest directions of a batch’s features, those that transfer worst',
  formula: 'CE(H(F(x)), y_t) + η Σ_{i ≤ k} σ²_{−i}(F)',
  when: 'few labels; together with another method; it grows weaker as batches grow',
  source:
    'Chen, Wang, Fu, Long, Wang, «Catastrophic Forgetting Meets Negative Transfer: Batch Spectral Shrinkage for Safe Transfer Learning», NeurIPS 2019; η and k as in its code',
  options: z.strictObject({
    eta: z
      .number()
      .min(0)
      .max(1000)
      .default(0.001)
      .meta({
        title: 'Shrinkage η',
        description: 'weight of the squared singular values',
        strength: [1, 0.1, 10, 0.3],
      }),
    count: z
      .number()
      .int()
      .min(1)
      .max(8)
      .default(1)
      .meta({ title: 'Singular values k', description: 'how many of the smallest are pressed on' }),
  }),
  loss: ({ features }, _, { eta, count }) => ({
    curve: 'bss_loss',
    value: smallestSquares(features, count),
    weight: eta,
  }),
});

/**
 * Sum of squares of the `count` smallest singular values of F [rows, columns]: ‖P F‖² with P the projection on their left
 * singular vectors (right ones where F is tall). Its gradient is 2 P F, as if P were constant: by the envelope theorem
 * what follows from a change of P is zero.
 */
function smallestSquares(features: tf.Tensor2D, count: number): tf.Scalar {
  const [rows, columns] = features.shape;
  const isTall = rows > columns;
  const op = tf.customGrad((...inputs) => {
    const [given, save] = inputs as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const gram = tf.matMul(given, given, isTall, !isTall) as tf.Tensor2D;
    const projection = smallestEigenspace(gram, Math.min(count, rows, columns));
    const projected = isTall ? tf.matMul(given, projection) : tf.matMul(projection, given);
    save([projected]);
    return {
      // ⟨F, P F⟩ and not eigenvalues of F Fᵀ, whose small ones are differences of large numbers.
      value: tf.sum(tf.mul(given, projected)) as tf.Scalar,
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(saved, tf.mul(dy, 2)),
    };
  });
  return op(features) as tf.Scalar;
}

/**
 * Squarings of c I − G: its 2²⁴th power has nothing left of eigenvalues that are further from the smallest than 1e-6 of the
 * largest, which is where float32 ends; where several are as close as that, the result mixes their vectors.
 */
const squarings = 24;

/**
 * Projection on the eigenvectors of the `count` smallest eigenvalues of G [n, n], symmetric and positive semidefinite: by
 * the power method on c I − G, c ≥ every eigenvalue, with the power by repeated squaring; those found are lifted to c, above
 * all others.
 */
function smallestEigenspace(gram: tf.Tensor2D, count: number): tf.Tensor2D {
  // Frobenius' norm; more than zero where all features are.
  const bound = tf.add(tf.sqrt(tf.sum(tf.square(gram))), 1e-20);
  const identity = tf.eye(gram.shape[0]);
  const normalized = (matrix: tf.Tensor): tf.Tensor2D => tf.div(matrix, tf.sum(tf.mul(matrix, identity)));
  let found: tf.Tensor2D | null = null;
  for (let index = 0; index < count; index++) {
    const rest: tf.Tensor2D = found ? tf.add(gram, tf.mul(found, bound)) : gram;
    let power = normalized(tf.sub(tf.mul(identity, bound), rest));
    for (let squaring = 0; squaring < squarings; squaring++)
      power = normalized(tf.matMul(power, power, false, true));
    found = found ? tf.add(found, power) : power;
  }
  return found!;
}

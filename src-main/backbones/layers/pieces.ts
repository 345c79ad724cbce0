import * as tf from '@tensorflow/tfjs-core';
import { vector } from '../backbone.ts';
import type { Build } from './layer.ts';

const table = (name: string, rows: number, width: number) => ({
  name,
  kind: 'embedding' as const,
  shape: [rows, width],
  order: [0, 1],
});

/** Devlin et al., «BERT», NAACL 2019, figure 2. */
export const pieces: Build<'pieces'> = ({ name, vocabulary, positions, segments, out }, { prefix }) => {
  const [words, places, kinds] = ['word', 'position', 'token_type'].map(
    (what) => `${prefix}${name}.${what}_embeddings.weight`,
  );
  return {
    tensors: [
      table(words, vocabulary, out),
      table(places, positions, out),
      ...(segments > 0 ? [table(kinds, segments, out)] : []),
    ],
    channels: out,
    forward(ids, scope) {
      const [batch, length] = ids.shape;
      const first = (what: string, rows: number) =>
        tf.slice(scope.tensor(what) as tf.Tensor2D, [0, 0], [rows, out]);
      const x = tf.add(
        tf.gather(scope.tensor(words), tf.reshape(ids, [-1])),
        alike(first(places, length), batch),
      );
      const sum = tf.reshape(x, [batch, length, out]);
      if (segments === 0) return sum;
      if (!scope.segments) return tf.add(sum, first(kinds, 1));
      // A product, whose gradient is one: there are few rows, and all pieces would be scattered over them.
      const chosen = tf.oneHot(tf.reshape(scope.segments, [-1]) as tf.Tensor1D, segments, 1, 0, 'float32');
      const added = tf.matMul(chosen as tf.Tensor2D, scope.tensor(kinds) as tf.Tensor2D);
      return tf.add(sum, tf.reshape(added, sum.shape));
    },
  };
};

/** Rows [length, width] for every text of a batch [batch · length, width]. */
const alike = (rows: tf.Tensor, batch: number): tf.Tensor => {
  const [length, width] = rows.shape;
  return tf.reshape(tf.tile(tf.reshape(rows, [1, length, width]), [batch, 1, 1]), [batch * length, width]);
};

/** The same paper's masked-language-model output: weights are the pieces' vectors, so that both uses make up their gradient. */
export const pieceScores: Build<'pieceScores'> = ({ name, pieces, out }, { prefix, width }) => {
  const bias = `${prefix}${name}.bias`;
  const to = width(out);
  return {
    tensors: [vector(bias, to)],
    channels: to,
    forward(x, { tensor }) {
      const channels = x.shape.at(-1)!;
      const rows = tf.reshape(x, [-1, channels]) as tf.Tensor2D;
      const scores = tf.add(tf.matMul(rows, tensor(pieces) as tf.Tensor2D, false, true), tensor(bias));
      return tf.reshape(scores, [...x.shape.slice(0, -1), scores.shape[1]!]);
    },
  };
};

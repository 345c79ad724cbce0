import * as tf from '@tensorflow/tfjs-core';

/** For each image of a batch the place in its class's queue that its key goes to, and what becomes of the classes' pointers. */
interface Enqueuing {
  /** For each place of all queues, class by class, the row to take: itself, or `places` and the number of the image [classes · K]. */
  rows: tf.Tensor1D;
  /** Where each class writes next [classes], whole numbers below K. */
  pointers: tf.Tensor1D;
}

/**
 * How keys enter the queues of K places that each class has: every image in the order of the batch writes at its class's pointer,
 * which then moves on by one, modulo K. labels one-hot [batch, classes], pointers [classes].
 */
export function enqueuing(labels: tf.Tensor2D, pointers: tf.Tensor1D, length: number): Enqueuing {
  const [batch, classes] = labels.shape;
  const places = classes * length;
  const same = tf.matMul(labels, labels, false, true);
  const earlier = triangle(batch, (row, column) => column < row);
  const later = triangle(batch, (row, column) => column > row);
  const before = tf.sum(tf.mul(same, earlier), 1);
  const behind = tf.sum(tf.mul(same, later), 1);
  const pointer = tf.reshape(tf.matMul(labels, tf.reshape(pointers, [classes, 1])), [batch]);
  const slot = modulo(tf.add(pointer, before), length);
  const classOf = tf.reshape(tf.matMul(labels, tf.tensor2d(counting(classes), [classes, 1])), [batch]);
  const place = tf.cast(tf.add(tf.mul(classOf, length), slot), 'int32') as tf.Tensor1D;
  // Of several images of a batch that write at one place the last stays: it has fewer than K of its class behind it.
  const stays = tf.cast(tf.less(behind, length), 'float32');
  const writes = tf.mul(tf.oneHot(place, places, 1, 0, 'float32'), tf.reshape(stays, [batch, 1]));
  const written = tf.sum(writes, 0);
  const writer = tf.sum(tf.mul(writes, tf.tensor2d(counting(batch), [batch, 1])), 0);
  const own = tf.tensor1d(counting(places));
  const rows = tf.add(tf.mul(own, tf.sub(1, written)), tf.mul(tf.add(writer, places), written));
  return {
    rows: tf.cast(rows, 'int32') as tf.Tensor1D,
    pointers: modulo(tf.add(pointers, tf.sum(labels, 0)), length) as tf.Tensor1D,
  };
}

/** The queues [classes · K, width] with keys [batch, width] entered by `Enqueuing.rows`. */
export const enqueue = (queue: tf.Tensor2D, keys: tf.Tensor2D, rows: tf.Tensor1D): tf.Tensor2D =>
  tf.gather(tf.concat([queue, keys], 0), rows) as tf.Tensor2D;

const counting = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const triangle = (side: number, has: (row: number, column: number) => boolean): tf.Tensor2D =>
  tf.tensor2d(
    counting(side * side).map((at) => Number(has(Math.floor(at / side), at % side))),
    [side, side],
  );

/** x mod n of whole numbers; half of one keeps the quotient off the edge. */
const modulo = (x: tf.Tensor, n: number): tf.Tensor =>
  tf.sub(x, tf.mul(tf.floor(tf.div(tf.add(x, 0.5), n)), n));

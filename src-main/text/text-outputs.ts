import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from '../../src-shared/matrix.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Engine, Program } from '../engine/engine.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  outputWidth,
  sourceHeadTensors,
  specsOf,
  targetHead,
  targetHeadTensors,
} from '../transfer/network.ts';
import { bucketsOf } from './length-buckets.ts';
import { padded, type TextPart } from './text-parts.ts';

/** Texts at once in evaluation passes, and rows at once of a head. */
const [evaluationBatch, headRows] = [16, 64];

/** Pieces of a part the mean of whose features is wanted. */
export interface Row {
  part: number;
  /** Place of the first among the part's pieces. */
  at: number;
  /** How many; one where it is left out, and of none features are zero. */
  count?: number;
}

/**
 * Features [rows, features] of pieces, or means over several, in evaluation mode, in the order of the rows. Parts are padded to a few lengths, with a program
 * for each. `onBatch` is told the number of parts done, and may throw to end the pass.
 */
export async function featuresOf(
  engine: Engine,
  network: Network,
  weights: Arrays,
  parts: readonly TextPart[],
  rows: readonly Row[],
  padding: number,
  onBatch: (done: number) => void = () => {},
): Promise<Matrix> {
  const width = network.backbone.features;
  const data = new Float32Array(rows.length * width);
  const wanted = Map.groupBy(rows.keys(), (row) => rows[row].part);
  const used = [...wanted.keys()];
  if (used.length === 0) return { data, rows: 0, columns: width };
  const counts = used.map((part) => parts[part].ids.length);
  const buckets = bucketsOf(counts, Math.max(...counts), () => evaluationBatch);
  let done = 0;
  for (const { length: size, texts } of buckets) {
    const batch = Math.min(evaluationBatch, texts.length);
    const program = featureProgram(network, batch, size);
    const executable = await engine.compile(program, { constants: constantsOf(program, weights) });
    try {
      // Told again now that it is compiled: what compiling takes is no part of a batch.
      onBatch(done);
      for (let first = 0; first < texts.length; first += batch) {
        const chosen = texts.slice(first, first + batch).map((text) => used[text]);
        const shape = { batch, size };
        const { features } = await executable.run(
          padded(
            chosen.map((part) => parts[part]),
            shape,
            padding,
          ),
        );
        for (const [place, part] of chosen.entries())
          for (const row of wanted.get(part)!) {
            const { at, count = 1 } = rows[row];
            for (let piece = at; piece < at + count; piece++) {
              const from = (place * size + piece) * width;
              for (let j = 0; j < width; j++) data[row * width + j] += features[from + j] / count;
            }
          }
        done += chosen.length;
        onBatch(done);
      }
    } finally {
      await executable.dispose();
    }
  }
  return { data, rows: rows.length, columns: width };
}

function featureProgram(network: Network, batch: number, size: number): Program {
  return {
    state: specsOf(evaluationTensors(network, 'features')),
    batch: {
      pieces: { shape: [batch, size], dtype: 'int32' },
      present: { shape: [batch, size], dtype: 'float32' },
    },
    step: (state, { pieces, present }) => ({
      state: {},
      outputs: {
        features: network.backbone.forward(pieces, { ...evaluationScope(network, state), present }),
      },
    }),
  };
}

/** What a head makes of features, row by row: logits [rows, outputs]. */
export async function logitsOf(
  engine: Engine,
  network: Network,
  head: 'source' | 'target',
  weights: Arrays,
  features: Matrix,
): Promise<Matrix> {
  const columns = outputWidth(network, head);
  const data = new Float32Array(features.rows * columns);
  if (features.rows === 0) return { data, rows: 0, columns };
  const batch = Math.min(headRows, features.rows);
  const program = headProgram(network, head, batch);
  const executable = await engine.compile(program, { constants: constantsOf(program, weights) });
  try {
    for (let first = 0; first < features.rows; first += batch) {
      const some = features.data.subarray(first * features.columns, (first + batch) * features.columns);
      const filled = new Float32Array(batch * features.columns);
      filled.set(some);
      const { logits } = await executable.run({ features: filled });
      const rows = some.length / features.columns;
      data.set(logits.subarray(0, rows * columns) as Float32Array, first * columns);
    }
  } finally {
    await executable.dispose();
  }
  return { data, rows: features.rows, columns };
}

/**
 * What a new head's layer of scores reads of features, row by row [rows, features]: what the pooler makes of a text's first piece.
 * `weights` hold the pooler.
 */
export async function readOf(
  engine: Engine,
  network: Network,
  weights: Arrays,
  features: Matrix,
): Promise<Matrix> {
  const width = features.columns;
  // Scores by the identity are what they are made of.
  const identity = new Float32Array(width * width);
  for (let j = 0; j < width; j++) identity[j * width + j] = 1;
  const scores = { [`${targetHead}.weight`]: identity, [`${targetHead}.bias`]: new Float32Array(width) };
  return logitsOf(
    engine,
    { ...network, targetClasses: width },
    'target',
    { ...weights, ...scores },
    features,
  );
}

/** The new head of texts reads the first piece of each: here every row is a text of one piece. */
function headProgram(network: Network, head: 'source' | 'target', batch: number): Program {
  const width = network.backbone.features;
  return {
    // A head that shares its scores with the embeddings needs these, too.
    state: specsOf([
      ...network.backbone.tensors,
      ...(head === 'source' ? sourceHeadTensors(network) : targetHeadTensors(network)),
    ]),
    batch: { features: { shape: [batch, width], dtype: 'float32' } },
    step(state, { features }) {
      const rows = head === 'source' ? features : tf.reshape(features, [batch, 1, width]);
      const logits = classify(network, rows, state, head === 'source' ? network.backbone.head : targetHead);
      return { state: {}, outputs: { logits: tf.reshape(logits, [batch, -1]) } };
    },
  };
}

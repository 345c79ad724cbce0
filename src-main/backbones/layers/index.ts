import type { Layer } from '../description.ts';
import { activation } from './activation.ts';
import { adapter } from './adapter.ts';
import { block, concatenation, gate, sum } from './combinations.ts';
import { convolution } from './convolution.ts';
import { dropout, stochasticDepth } from './dropping.ts';
import type { Build } from './layer.ts';
import { flatten, linear } from './linear.ts';
import { batchNorm, layerNorm, scale } from './normalization.ts';
import { pieceScores, pieces } from './pieces.ts';
import { adaptivePool, averagePool, globalPool, maxPool } from './pooling.ts';
import { attention, classToken, tokens } from './tokens.ts';

/** How layers of every kind are built. */
export const layerKinds: { [Op in Layer['op']]: Build<Op> } = {
  activation,
  adapter,
  adaptivePool,
  attention,
  averagePool,
  batchNorm,
  block,
  classToken,
  concatenation,
  convolution,
  dropout,
  flatten,
  gate,
  globalPool,
  layerNorm,
  linear,
  maxPool,
  pieceScores,
  pieces,
  scale,
  stochasticDepth,
  sum,
  tokens,
};

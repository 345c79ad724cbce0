import type { Matrix } from '../../../src-shared/matrix.ts';

/** One forward pass of a pre-trained network over labelled images, in float64. */
export interface Evidence {
  /** Source probabilities [images, sources]; without columns where the network has no source head. */
  probabilities: Matrix;
  /** Pooled features [images, features]. */
  features: Matrix;
  /** Target labels, from 0. */
  labels: Int32Array;
  targets: number;
}

/** Whether there is a source head whose predictions can be looked at. */
export const hasSource = ({ probabilities }: Evidence): boolean => probabilities.columns > 0;

/** A guess, before any training, of how well a network suits a task. Higher is better; scores of one kind alone compare. */
export interface RankingScore {
  name: string;
  title: string;
  help: string;
  source: string;
  score(evidence: Evidence): number;
  /** Whether the score says anything of such evidence; always where it is left out. */
  speaks?(evidence: Evidence): boolean;
}

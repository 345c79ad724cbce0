import { hScore, regularizedHScore } from './h-score.ts';
import { leep } from './leep.ts';
import { logme } from './logme.ts';
import { nce } from './nce.ts';
import type { RankingScore } from './score.ts';
import { transrate } from './transrate.ts';

/** Opinions on how well a network suits a task, in the order in which they are told. */
export const rankingScores: readonly RankingScore[] = [
  leep,
  nce,
  hScore,
  regularizedHScore,
  logme,
  transrate,
];

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { softmaxRows } from '../../src-main/engine/softmax-rows.ts';
import { readNpyLabels, readNpyMatrix } from '../../src-main/formats/npy.ts';
import { rankingScores } from '../../src-main/transfer/ranking/index.ts';
import { sharedPath } from '../shared-folder.ts';

const folder = sharedPath('reference/relationship');

describe.skipIf(!folder)(
  'ranking scores of real features (needs shared/reference/relationship)',
  async () => {
    if (!folder) return;
    const { transferability } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
    const logits = await readNpyMatrix(join(folder, 'train_logits.npy'));
    const labels = await readNpyLabels(join(folder, 'train_labels.npy'));
    const all = await readNpyMatrix(join(folder, 'train_features.npy'));
    const probabilities = await softmaxRows(logits, 1);
    const columns = 256;
    const features = { data: new Float64Array(all.rows * columns), rows: all.rows, columns };
    for (let i = 0; i < all.rows; i++)
      for (let j = 0; j < columns; j++) features.data[i * columns + j] = all.data[i * all.columns + j];
    const expected = transferability.features_first_256;
    const byName: Record<string, number> = {
      leep: transferability.leep,
      nce: transferability.nce,
      'h-score': expected.h_score,
      'h-score-regularized': expected.h_score_regularized.ddof1,
      logme: expected.logme_converged.score,
      transrate: expected.transrate.class_mean,
    };
    test.each(rankingScores.map((one) => [one.name, one] as const))('%s', (name, one) => {
      const score = one.score({ probabilities, features, labels, targets: 10 });
      // The reference's own figures carry nine digits; its tolerance is 1e-7.
      expect(Math.abs(score / byName[name] - 1)).toBeLessThan(1e-7);
    });
  },
);

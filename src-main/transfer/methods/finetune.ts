import { crossEntropy } from '../cross-entropy.ts';
import type { TransferMethod } from '../method.ts';

/** Plain fine-tuning, the baseline: loss = CE(H(F(x)), y_t), with the source head left out. */
export const finetune: TransferMethod = {
  usesRelationship: false,
  loss({ targetLogits, targets }) {
    const target = crossEntropy(targetLogits, targets);
    return { total: target, parts: { loss: target, target_loss: target } };
  },
};

/** The first stages of a backbone that a training leaves as they are: what they make of a picture is the same at every step. */
import type { Network } from './network.ts';
import type { TrainingOptions } from './step-plan.ts';

/**
 * The last of the first stages that stay as they are, none of which anything in the step looks into: null where there is none, or
 * where a term mixes or observes images, watches taps, recalls the pre-trained network, replaces tensors, or a teacher sees
 * the images too.
 */
export function frozenStage(
  network: Network,
  { terms = [], teacher }: Pick<TrainingOptions, 'terms' | 'teacher'>,
): number | null {
  const looksAtImages = terms.some(
    ({ term, options }) =>
      term.mix ||
      term.observe ||
      term.secondView ||
      term.recallsLogits ||
      term.replace ||
      (term.watches?.(network, options).length ?? 0) > 0,
  );
  if (looksAtImages || teacher) return null;
  const isFrozen = (layer: string) =>
    terms.some(({ term, options }) => term.freezes?.(layer, network, options));
  const { stages } = network.backbone;
  const first = stages.findIndex((layers) => !layers.every(isFrozen));
  const stage = (first < 0 ? stages.length : first) - 1;
  return stage < 0 ? null : stage;
}

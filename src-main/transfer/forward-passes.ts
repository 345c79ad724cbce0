/** The forward passes of a training step: the network's own, and those of networks that are not trained in it. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Scope } from '../backbones/backbone.ts';
import type { Tensors } from '../engine/engine.ts';
import { pooled } from './evaluation-program.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  targetHead,
  trainingScope,
} from './network.ts';
import type { Rows, Seen } from './step-input.ts';
import { anchorName, networkTensors, type StepPlan, type TrainingOptions, teacherName } from './step-plan.ts';
import { teacherLogits } from './teacher.ts';
import type { Beside, ChosenTerm, Held, StepView } from './term.ts';

/** Batch norm and masks as training has them: by the batch, but where a layer is frozen or a term says otherwise. */
function trainedScope(
  network: Network,
  { terms = [] }: TrainingOptions,
  { isFrozen, frozenStatistics }: StepPlan,
  tensors: Tensors,
  heldOf: (one: ChosenTerm) => Held,
  onRunning: (name: string, value: tf.Tensor) => void,
): Scope {
  const byBatch = (batchNorm: string) =>
    firstOf(terms, (one) => one.term.batchStatistics?.(batchNorm, heldOf(one), network, one.options));
  const training = trainingScope(network, tensors, onRunning, byBatch);
  const evaluation = evaluationScope(network, tensors);
  return {
    tensor: training.tensor,
    batchNorm: (x, prefix, near) =>
      (frozenStatistics || isFrozen(prefix) ? evaluation : training).batchNorm(x, prefix, near),
    mask: (site) =>
      isFrozen(site.name)
        ? undefined
        : firstOf(terms, (one) => one.term.mask?.(site, heldOf(one), one.options)),
  };
}

/** What the first term that has it says. */
function firstOf<T>(
  terms: readonly ChosenTerm[],
  of: (one: ChosenTerm) => T | null | undefined,
): T | undefined {
  for (const one of terms) {
    const found = of(one);
    if (found !== null && found !== undefined) return found;
  }
  return undefined;
}

/** The network's own pass, with the values at the taps that terms watch. */
export function forwardPass(
  network: Network,
  options: TrainingOptions,
  plan: StepPlan,
  tensors: Tensors,
  input: tf.Tensor,
  { scope: given, rowsOf }: Seen,
  heldOf: (one: ChosenTerm) => Held,
  onRunning: (name: string, value: tf.Tensor) => void,
): Pick<StepView, 'features' | 'pooled' | 'targetLogits' | 'sourceLogits' | 'taps'> & { rows: Rows } {
  const { backbone } = network;
  const taps = tapping(watched(network, options));
  const scope = trainedScope(network, options, plan, tensors, heldOf, onRunning);
  const tapped = { ...scope, ...given, tap: taps.tap };
  const { prefix } = options;
  const features = prefix ? backbone.resume(prefix.stage, input, tapped) : backbone.forward(input, tapped);
  const rows = rowsOf(features);
  return {
    rows,
    features: rows.features,
    pooled: rows.pooled,
    targetLogits: classify(network, rows.target, tensors, targetHead),
    sourceLogits: plan.withSourceHead
      ? classify(network, rows.source.features, tensors, backbone.head)
      : null,
    taps: taps.values,
  };
}

/** What the pre-trained network and a teacher make of the images, as far as terms ask for it. */
export function besidePass(
  network: Network,
  { terms = [], teacher, ...options }: TrainingOptions,
  { anchored, withSourceHead }: StepPlan,
  state: Tensors,
  input: tf.Tensor,
  seen: Seen,
): Beside {
  const { backbone } = network;
  const names = watched(network, { terms, ...options });
  const recallsLogits = terms.some(({ term }) => term.recallsLogits);
  const taps = tapping(names);
  let sourceLogits: tf.Tensor2D | null = null;
  if (names.length > 0 || recallsLogits) {
    const isAnchored = new Set(anchored);
    // What training leaves as it is has no anchor, and needs none.
    const tensors = Object.fromEntries(
      networkTensors(network, withSourceHead).map(({ name }) => [
        name,
        state[isAnchored.has(name) ? anchorName(name) : name],
      ]),
    );
    const scope = { ...evaluationScope(network, tensors), ...seen.scope, tap: taps.tap };
    const features = backbone.forward(input, scope);
    if (recallsLogits)
      sourceLogits = classify(network, seen.rowsOf(features).source.features, tensors, backbone.head);
  }
  return {
    taps: taps.values,
    sourceLogits,
    teacherLogits: teacher
      ? teacherLogits(
          teacher,
          input,
          seen,
          Object.fromEntries(
            evaluationTensors(teacher.network, teacher.head).map(({ name }) => [
              name,
              state[teacherName(name)],
            ]),
          ),
        )
      : null,
  };
}

/** Features [batch, features] of images with tensors in place of the state's; running statistics stay as they are, nothing is dropped. */
export const encoder =
  (
    network: Network,
    options: TrainingOptions,
    plan: StepPlan,
    state: Tensors,
    heldOf: (one: ChosenTerm) => Held,
  ) =>
  (images: tf.Tensor4D, tensors: Tensors): tf.Tensor2D => {
    const scope = trainedScope(network, options, plan, { ...state, ...tensors }, heldOf, () => {});
    return pooled(network.backbone.forward(images, { ...scope, mask: undefined }));
  };

/** Taps that terms watch, each once. */
const watched = (network: Network, { terms = [] }: Pick<TrainingOptions, 'terms'>): string[] => [
  ...new Set(terms.flatMap(({ term, options }) => term.watches?.(network, options) ?? [])),
];

function tapping(names: readonly string[]) {
  const values: Tensors = {};
  return {
    values,
    tap(name: string, value: tf.Tensor): void {
      if (names.includes(name)) values[name] = value;
    },
  };
}

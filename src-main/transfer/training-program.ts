import * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import type { Program, Specs, Tensors } from '../engine/engine.ts';
import { crossEntropy } from './cross-entropy.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type HeadChoice,
  type Network,
  sourceHeadTensors,
  specsOf,
  targetHead,
  targetHeadTensors,
  trainingScope,
} from './network.ts';
import { type ChosenOptimizer, slotName } from './optimizer.ts';
import { ownTensors, replaced } from './own-tensors.ts';
import { type BatchShape, type ChosenTerm, type Held, ownName } from './term.ts';

export interface TrainingOptions extends BatchShape {
  /** What is added to plain fine-tuning. */
  terms?: readonly ChosenTerm[];
  optimizer: ChosenOptimizer;
  /** Factor on the learning rate of the target head. */
  headLearningRateMultiplier: number;
}

/** Whether a term has the source head take part, and be trained. */
const usesSourceHead = (terms: readonly ChosenTerm[]): boolean =>
  terms.some(({ term }) => term.needs?.includes('source-head'));

/** Tensors that a training run holds: the backbone, the target head and, where it is used, the source head. */
export function networkTensors(network: Network, withSourceHead: boolean): TensorDescription[] {
  const source = withSourceHead ? sourceHeadTensors(network) : [];
  return [...network.backbone.tensors, ...source, ...targetHeadTensors(network)];
}

/** State name of the value that training of a parameter began with. */
export const anchorName = (parameter: string): string => `anchor/${parameter}`;

/** State name of a tensor's average over the steps so far. */
export const averageName = (tensor: string): string => `average/${tensor}`;

/**
 * One training step as a pure function: forward in training mode, cross-entropy on the target labels and what the terms add
 * to it or change, its gradient, and the optimizer's update of every parameter. Frozen layers run in evaluation mode and
 * stay as they are.
 *
 * batch: images [batch, size, size, 3], labels int32 [batch], learning_rate scalar; `step` scalar, from 1, where the
 * optimizer counts; `TERM/NAME` of what terms are fed.
 * outputs: `loss`, `target_loss` and each term's curve before its weight, and `correct`, the number of right target
 * predictions, all scalars.
 */
export function trainingProgram(network: Network, options: TrainingOptions): Program {
  const { terms = [], optimizer: chosen, batch, size } = options;
  const { optimizer } = chosen;
  const { backbone, targetClasses } = network;
  const withSourceHead = usesSourceHead(terms);
  const tensors = [...networkTensors(network, withSourceHead), ...ownTensors(network, terms)];
  const isFrozen = (name: string) =>
    terms.some(({ term, options: own }) => term.freezes?.(name, network, own));
  const isTrained = (tensor: TensorDescription) =>
    tensor.kind !== 'running' &&
    !isFrozen(tensor.name) &&
    terms.every(({ term, options: own }) => term.trains?.(tensor, network, own) ?? true);
  const trained = tensors.filter(isTrained).map(({ name }) => name);
  const weights = specsOf(tensors);
  const isHead = (name: string) => name.startsWith(`${targetHead}.`);
  const anchored = terms.some(({ term }) => term.anchored) ? trained.filter((name) => !isHead(name)) : [];
  const slots: Specs = Object.fromEntries(
    trained.flatMap((name) => optimizer.slots.map((slot) => [slotName(slot, name), weights[name]])),
  );
  const anchors: Specs = Object.fromEntries(anchored.map((name) => [anchorName(name), weights[name]]));
  const statesOf = (one: ChosenTerm): Specs => one.term.state?.(network, one.options) ?? {};
  const feedsOf = (one: ChosenTerm): Specs =>
    one.term.feeds?.specs({ batch, size }, network, one.options) ?? {};
  const frozenStatistics = terms.some(({ term, options: own }) => term.frozenStatistics?.(own));
  const penalties = terms.filter(({ term }) => term.penalty);
  const averaging = terms.find(({ term }) => term.average);
  const learnsStatistics = ({ name, kind }: TensorDescription) =>
    kind === 'running' && !frozenStatistics && !isFrozen(name);
  const averaged = averaging ? tensors.filter((one) => isTrained(one) || learnsStatistics(one)) : [];
  const averages: Specs = Object.fromEntries(averaged.map(({ name }) => [averageName(name), weights[name]]));

  return {
    state: { ...weights, ...slots, ...anchors, ...averages, ...ownSpecs(terms, statesOf) },
    batch: {
      images: { shape: [batch, size, size, 3], dtype: 'float32' },
      labels: { shape: [batch], dtype: 'int32' },
      learning_rate: { shape: [], dtype: 'float32' },
      ...(optimizer.countsSteps ? { step: { shape: [], dtype: 'float32' } } : {}),
      ...ownSpecs(terms, feedsOf),
    },
    step(state, fed) {
      const held = new Map(
        terms.map((one): [ChosenTerm, Held] => [
          one,
          { state: own(one, statesOf(one), state), fed: own(one, feedsOf(one), fed) },
        ]),
      );
      const input = terms.reduce(
        (before, one) => one.term.mix?.(before, held.get(one)!, one.options) ?? before,
        {
          images: fed.images as tf.Tensor4D,
          labels: tf.oneHot(fed.labels as tf.Tensor1D, targetClasses, 1, 0, 'float32') as tf.Tensor2D,
        },
      );
      /** What each image counts in the target's cross-entropy; null where all count alike. */
      const weightsOf = (labels: tf.Tensor2D) =>
        terms.reduce((before: tf.Tensor2D | null, one) => {
          const more = one.term.weigh?.(labels, held.get(one)!, one.options) ?? null;
          return before && more ? tf.mul(before, more) : (more ?? before);
        }, null);
      const aside: Tensors = {};
      // Gradients are taken inside a scope that frees what it does not return: side results must be kept.
      const keep = (name: string, value: tf.Tensor) => {
        aside[name] = tf.keep(value.clone());
      };
      const forward = (...parameters: tf.Tensor[]): tf.Scalar => {
        const used: Tensors = { ...state };
        for (const [index, name] of trained.entries()) used[name] = parameters[index];
        for (const [name, value] of replaced(network, terms, used)) used[name] = value;
        const training = trainingScope(
          network,
          used,
          (name, value) => keep(`state/${name}`, value),
          (batchNorm) =>
            firstOf(terms, (one) =>
              one.term.batchStatistics?.(batchNorm, held.get(one)!, network, one.options),
            ),
        );
        const evaluation = evaluationScope(network, used);
        const features = backbone.forward(input.images, {
          tensor: training.tensor,
          batchNorm: (x, prefix, near) =>
            (frozenStatistics || isFrozen(prefix) ? evaluation : training).batchNorm(x, prefix, near),
          mask: (site) =>
            isFrozen(site.name)
              ? undefined
              : firstOf(terms, (one) => one.term.mask?.(site, held.get(one)!, one.options)),
        });
        const targetLogits = classify(network, features, used, targetHead);
        const sourceLogits = withSourceHead ? classify(network, features, used, backbone.head) : null;
        const learned = terms.reduce(
          (before, { term, options: own }) => term.soften?.(before, own) ?? before,
          input.labels,
        );
        // loss = CE(H(F(x)), y_t) + Σ weight · term
        const target = crossEntropy(targetLogits, learned, weightsOf(input.labels));
        keep('output/target_loss', target);
        const view = {
          labels: input.labels,
          targetLogits,
          features: tf.reshape(features, [batch, -1]) as tf.Tensor2D,
          sourceLogits,
        };
        let total: tf.Scalar = target;
        for (const one of terms) {
          const added = one.term.loss?.(view, held.get(one)!, one.options);
          if (!added) continue;
          keep(`output/${added.curve}`, added.value);
          total = tf.add(total, tf.mul(added.value, added.weight));
        }
        keep('output/loss', total);
        const hits = tf.equal(tf.argMax(targetLogits, 1), fed.labels);
        keep('output/correct', tf.sum(tf.cast(hits, 'float32')));
        return total;
      };
      const { grads } = tf.valueAndGrads(forward)(trained.map((name) => state[name]));

      const found: Tensors = Object.fromEntries(trained.map((name, index) => [name, grads[index]]));
      for (const name of trained)
        for (const { term, options: own } of penalties) {
          const anchor = anchored.includes(name) ? state[anchorName(name)] : null;
          const more = term.penalty!({ name, isHead: isHead(name), value: state[name], anchor }, own);
          if (more) found[name] = tf.add(found[name], more);
        }
      const gradients = terms.reduce(
        (before, { term, options: own }) => term.limit?.(before, own) ?? before,
        found,
      );

      const next: Tensors = {};
      const rateOf = rates(fed.learning_rate, (name) =>
        terms.reduce(
          (factor, { term, options: own }) => factor * (term.rate?.(name, network, own) ?? 1),
          isHead(name) ? options.headLearningRateMultiplier : 1,
        ),
      );
      for (const name of trained) {
        const after = optimizer.step(
          {
            parameter: state[name],
            gradient: gradients[name],
            slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, state[slotName(slot, name)]])),
            rate: rateOf(name),
            step: fed.step ?? null,
            decays: penalties.length === 0,
          },
          chosen.options,
        );
        next[name] = after.parameter;
        for (const slot of optimizer.slots) next[slotName(slot, name)] = after.slots[slot];
      }
      const outputs: Tensors = {};
      for (const [name, value] of Object.entries(aside)) {
        const [kind, key] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
        (kind === 'state' ? next : outputs)[key] = value.clone();
        value.dispose();
      }
      if (averaging) {
        // θ̄ ← d θ̄ + (1 − d) θ
        const share = averaging.term.average!(held.get(averaging)!, averaging.options);
        for (const { name } of averaged)
          next[averageName(name)] = tf.add(
            tf.mul(state[averageName(name)], share),
            tf.mul(next[name], tf.sub(1, share)),
          );
      }
      return { state: next, outputs };
    },
  };
}

/** What terms declare, under the names that it has in a program. */
const ownSpecs = (terms: readonly ChosenTerm[], of: (one: ChosenTerm) => Specs): Specs =>
  Object.fromEntries(
    terms.flatMap((one) => Object.entries(of(one)).map(([name, spec]) => [ownName(one, name), spec])),
  );

/** A term's tensors under its own names. */
const own = (one: ChosenTerm, specs: Specs, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.keys(specs).map((name) => [name, tensors[ownName(one, name)]]));

/** Learning rates of tensors, one for each factor. */
function rates(rate: tf.Tensor, factorOf: (name: string) => number): (name: string) => tf.Tensor {
  const known = new Map<number, tf.Tensor>([[1, rate]]);
  return (name) => {
    const factor = factorOf(name);
    const scaled = known.get(factor) ?? tf.mul(rate, factor);
    known.set(factor, scaled);
    return scaled;
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

/**
 * A pass in evaluation mode: images [batch, size, size, 3] → `logits` [batch, `outputWidth` of the head]. Every state tensor
 * may be given as a constant.
 */
export function evaluationProgram(network: Network, head: HeadChoice, batch: number, size: number): Program {
  const { backbone } = network;
  return {
    state: specsOf(evaluationTensors(network, head)),
    batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
    step(state, fed) {
      const features = backbone.forward(fed.images as tf.Tensor4D, evaluationScope(network, state));
      const pooled = () => (features.rank === 4 ? tf.mean(features, [1, 2]) : features) as tf.Tensor2D;
      if (head === 'features') return { state: {}, outputs: { logits: pooled() } };
      const logits = classify(network, features, state, head === 'target' ? targetHead : backbone.head);
      if (head !== 'source-and-features') return { state: {}, outputs: { logits } };
      return { state: {}, outputs: { logits: tf.concat([logits, pooled()], 1) } };
    },
  };
}

import * as tf from '@tensorflow/tfjs-core';
import type { Program, Tensors } from '../engine/engine.ts';
import { crossEntropy } from './cross-entropy.ts';
import { besidePass, encoder, forwardPass } from './forward-passes.ts';
import type { Network } from './network.ts';
import { replaced } from './own-tensors.ts';
import { imageInput } from './step-input.ts';
import { averageName, own, planStep, type TrainingOptions } from './step-plan.ts';
import { type ChosenTerm, type Held, ownName } from './term.ts';
import { updates } from './updates.ts';

/**
 * One training step as a pure function: forward in training mode, cross-entropy on the target labels and what the terms add
 * to it or change, its gradient, and the optimizer's update of every parameter. Frozen layers run in evaluation mode and
 * stay as they are.
 *
 * batch: what the options' `input` says, by default images [batch, size, size, 3], or what a frozen prefix made of them, and labels int32 [batch]; learning_rate scalar; `second_images` like images where a term
 * takes a second view; `step` scalar, from 1, where the optimizer counts; `TERM/NAME` of what terms are fed.
 * outputs: `loss`, `target_loss` and each term's curve before its weight, and `correct`, the number of right target
 * predictions, all scalars; for diagnosis what `withNorm` takes.
 */
export function trainingProgram(network: Network, options: TrainingOptions): Program {
  const { terms = [], input: kind = imageInput } = options;
  const plan = planStep(network, options);
  const { trained } = plan;
  const namesOf = new Map(
    terms.map((one) => {
      const declared = (specs: object | undefined) => Object.keys(specs ?? {});
      return [
        one,
        {
          state: declared(one.term.state?.(network, one.options)),
          fed: declared(one.term.feeds?.specs(options, network, one.options)),
        },
      ] as const;
    }),
  );

  return {
    state: plan.state,
    batch: plan.batch,
    step(state, fed) {
      const observed = new Map<ChosenTerm, Tensors>();
      const heldOf = (one: ChosenTerm): Held => {
        const names = namesOf.get(one)!;
        return {
          state: own(one, names.state, state),
          fed: own(one, names.fed, fed),
          observed: observed.get(one) ?? {},
        };
      };
      const seen = {
        scope: kind.scope(fed),
        rowsOf: (features: tf.Tensor) => kind.rows(features, fed, network),
      };
      const input = terms.reduce(
        (before, one) => one.term.mix?.(before, heldOf(one), one.options) ?? before,
        {
          images: fed[kind.takes] as tf.Tensor4D,
          labels: tf.oneHot(fed.labels as tf.Tensor1D, network.targetClasses, 1, 0, 'float32') as tf.Tensor2D,
        },
      );
      const observation = {
        labels: input.labels,
        secondView: (fed.second_images as tf.Tensor4D | undefined) ?? null,
        encode: encoder(network, options, plan, state, heldOf),
      };
      for (const one of terms)
        if (one.term.observe) observed.set(one, one.term.observe(observation, heldOf(one), one.options));
      const beside = besidePass(network, options, plan, state, input.images, seen);

      const aside: Tensors = {};
      // Gradients are taken inside a scope that frees what it does not return: side results must be kept.
      const keep = (name: string, value: tf.Tensor) => {
        aside[name] = tf.keep(value.clone());
      };
      const forward = (...parameters: tf.Tensor[]): tf.Scalar => {
        const weights: Tensors = { ...state };
        for (const [index, name] of trained.entries()) weights[name] = parameters[index];
        for (const [name, value] of replaced(network, terms, weights)) weights[name] = value;
        const { rows, ...passed } = forwardPass(
          ...([network, options, plan, weights, input.images, seen, heldOf] as const),
          (name, value) => keep(`state/${name}`, value),
        );
        const view = {
          ...passed,
          labels: input.labels,
          counts: rows.counts,
          source: { labels: rows.source.labels ?? input.labels, counts: rows.source.counts },
          weights,
          beside,
        };
        const learned = terms.reduce(
          (before, { term, options: chosen }) => term.soften?.(before, chosen) ?? before,
          input.labels,
        );
        /** What each row counts in the target's cross-entropy; null where all count alike. */
        const counts = terms.reduce((before: tf.Tensor2D | null, one) => {
          const more = one.term.weigh?.(input.labels, heldOf(one), one.options) ?? null;
          return before && more ? tf.mul(before, more) : (more ?? before);
        }, rows.counts);
        // loss = CE(H(F(x)), y_t) + Σ weight · term
        const target = crossEntropy(view.targetLogits, learned, counts);
        keep('output/target_loss', target);
        let total: tf.Scalar = target;
        for (const one of terms) {
          const added = one.term.loss?.(view, heldOf(one), one.options);
          if (!added) continue;
          keep(`output/${added.curve}`, added.value);
          total = tf.add(total, tf.mul(added.value, added.weight));
        }
        keep('output/loss', total);
        const hits = tf.equal(tf.argMax(view.targetLogits, 1), fed.labels);
        const right = tf.cast(hits, 'float32');
        keep('output/correct', tf.sum(rows.counts ? countedAmong(right, rows.counts) : right));
        return total;
      };
      const { grads } = tf.valueAndGrads(forward)(trained.map((name) => state[name]));

      const { next, diagnosis } = updates(
        network,
        options,
        plan,
        state,
        fed,
        Object.fromEntries(trained.map((name, index) => [name, grads[index]])),
        heldOf,
      );
      const after = {
        labels: input.labels,
        weights: Object.fromEntries(trained.map((name) => [name, next[name]])),
      };
      for (const one of terms)
        for (const [name, value] of Object.entries(one.term.advance?.(after, heldOf(one), one.options) ?? {}))
          next[ownName(one, name)] = value;
      const outputs: Tensors = {};
      for (const [name, value] of Object.entries(aside)) {
        const [kind, key] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
        (kind === 'state' ? next : outputs)[key] = value.clone();
        value.dispose();
      }
      const averaging = terms.find(({ term }) => term.average);
      if (averaging) {
        // θ̄ ← d θ̄ + (1 − d) θ
        const share = averaging.term.average!(heldOf(averaging), averaging.options);
        for (const name of plan.averaged)
          next[averageName(name)] = tf.add(
            tf.mul(state[averageName(name)], share),
            tf.mul(next[name], tf.sub(1, share)),
          );
      }
      return { state: next, outputs, diagnosis };
    },
  };
}

/** Of rows, those that count. */
const countedAmong = (rows: tf.Tensor, counts: tf.Tensor2D): tf.Tensor =>
  tf.mul(rows, tf.reshape(tf.cast(tf.greater(counts, 0), 'float32'), rows.shape));

import type * as tf from '@tensorflow/tfjs-core';
import type { z } from 'zod';
import type { Tensors } from '../engine/engine.ts';
import type { Described } from './part.ts';

/** One parameter's update. */
export interface Update {
  parameter: tf.Tensor;
  gradient: tf.Tensor;
  /** Slots by name, of the parameter's shape. */
  slots: Tensors;
  /** Makes the learning rate, a scalar tensor: called right before it is used, for the runtime makes first what comes last. */
  rate: () => tf.Tensor;
  /** Number of the step from 1, a scalar tensor; there where the optimizer counts steps. */
  step: tf.Tensor | null;
  /** Whether weight decay applies; where not, something else stands in for it. */
  decays: boolean;
}

/** From gradient to update. */
export interface OptimizerOf<Schema extends z.ZodObject> extends Described<Schema> {
  /** What it keeps of every parameter from step to step, zero at the start. */
  slots: readonly string[];
  /** Whether it is told the step's number. */
  countsSteps?: boolean;
  step(update: Update, options: z.output<Schema>): { parameter: tf.Tensor; slots: Tensors };
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds optimizers of all kinds of options.
export type Optimizer = OptimizerOf<any>;

export const optimizer = <Schema extends z.ZodObject>(definition: OptimizerOf<Schema>): Optimizer =>
  definition;

/** An optimizer with the options that a run chose. */
export interface ChosenOptimizer {
  optimizer: Optimizer;
  // biome-ignore lint/suspicious/noExplicitAny: checked against the optimizer's own schema.
  options: any;
}

/** State name of what the optimizer keeps of a parameter. */
export const slotName = (slot: string, parameter: string): string => `${slot}/${parameter}`;

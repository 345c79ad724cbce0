import type { Part } from '../domain.ts';
import type { Slot } from '../parts.ts';

/** Settings that a training begins with: what a person leaves out is the preset's to decide. */
export interface Preset {
  name: string;
  title: string;
  /** One or two sentences, for whoever chooses. */
  help: string;
  /** What the networks take that it is for. */
  takes: 'images' | 'texts';
  steps: number;
  batch: number;
  /** Side of the square crop in pixels, or the most pieces of a text: fixed, or that of the network up to a bound. */
  size: number | { atMost: number };
  learningRate: number;
  /** The same for networks whose scores go through a ReLU, where it differs: with features that nothing normalizes a new head diverges sooner. */
  learningRateBehindRelu?: number;
  /** Factor on it for the new head. */
  headLearningRateMultiplier: number;
  /** Share of the steps after which the learning rate falls. */
  decay: number;
  /** Most steps between validations, and between checkpoints; they come five times a run at least. */
  longestStretch: number;
  select: 'last' | 'best';
  /** Parts, with the options that differ from their defaults; in a place that is not named, the place's first, or none. */
  parts: Partial<Record<Slot, Part | Part[]>>;
}

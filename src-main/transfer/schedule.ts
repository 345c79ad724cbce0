import type { z } from 'zod';
import type { Described } from './part.ts';

/** The course of the learning rate. */
export interface ScheduleOf<Schema extends z.ZodObject> extends Described<Schema> {
  /** The factor on the learning rate at step `step` (from 0) of `steps`. */
  factor(step: number, steps: number, options: z.output<Schema>): number;
  /**
   * What options that were left out follow from: the length, and the share of it after which a preset lowers the rate.
   * Errors: `bad-input` where they contradict it.
   */
  complete?(options: z.output<Schema>, run: { steps: number; decay: number }): z.output<Schema>;
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds schedules of all kinds of options.
export type Schedule = ScheduleOf<any>;

export const schedule = <Schema extends z.ZodObject>(definition: ScheduleOf<Schema>): Schedule => definition;

/** A schedule with the options that a run chose. */
export interface ChosenSchedule {
  schedule: Schedule;
  // biome-ignore lint/suspicious/noExplicitAny: checked against the schedule's own schema.
  options: any;
}

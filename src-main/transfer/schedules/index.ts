import type { Schedule } from '../schedule.ts';
import { cosine } from './cosine.ts';
import { linear } from './linear.ts';
import { step } from './step.ts';

/** Every schedule; the first is the default. */
export const schedules: readonly Schedule[] = [step, cosine, linear];

/** What a plan will take, from what its parts take on this machine. */
import type { RunBench } from './bench.ts';

/** Runs of one configuration and length. */
export interface RunsToCome {
  /** Place in the list of measurements. */
  measurement: number;
  count: number;
  steps: number;
  /** Validation passes before the end. */
  validations: number;
  /** Images of each kind. */
  train: number;
  val: number;
  test: number;
  /** In how many of them what is prepared is not known yet. */
  prepared: number;
  /** Images that are passed for that; what was made of an image is kept for all runs. */
  preparedImages: number;
}

export interface Estimate {
  runs: number;
  seconds: number;
  /** The highest of all. */
  peakBytes: number;
}

export type Measured = Omit<RunBench, 'bench' | 'engine'>;

/** `decoded`: images that are to be decoded for the first time, once for all runs. */
export function estimate(
  runs: readonly RunsToCome[],
  measurements: readonly Measured[],
  decoded: number,
): Estimate {
  const seconds = runs.reduce(
    (sum, one) =>
      sum +
      one.count * secondsOf(one, measurements[one.measurement]) +
      preparing(one, measurements[one.measurement]),
    0,
  );
  const first = measurements[0];
  return {
    runs: runs.reduce((sum, { count }) => sum + count, 0),
    seconds: seconds + (first ? decoded * first.decode_s : 0),
    peakBytes: Math.max(0, ...measurements.map(({ peak_bytes }) => peak_bytes)),
  };
}

function secondsOf({ steps, validations, val, test }: RunsToCome, measured: Measured): number {
  const { step_s, evaluate_s, evaluate_start_s, fixed_s } = measured;
  const pass = (images: number) => (images === 0 ? 0 : evaluate_start_s + images * evaluate_s);
  return fixed_s + steps * step_s + validations * pass(val) + pass(val + test);
}

const preparing = (
  { prepared, preparedImages }: RunsToCome,
  { prepare_s, prepare_start_s }: Measured,
): number => prepared * prepare_start_s + preparedImages * prepare_s;

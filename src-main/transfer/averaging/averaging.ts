/** What an average's weights come to on the validation samples. */
export interface Score {
  accuracy: number;
  nll: number;
}

/** Scores an average by its networks' shares; `told` goes on the run's record beside the score, point by point. */
export type TryOut = (shares: readonly number[], told: Record<string, number>) => Promise<Score>;

/** A way to make one network of several with the same tensors: a weighted mean of their weights. */
export interface Averaging {
  name: string;
  title: string;
  /** A sentence that begins in lower case, without a full stop. */
  help: string;
  source: string;
  /** Whether it averages several runs, or one run with the network that this began with, which comes first. */
  of: 'runs' | 'run';
  /** How many averages are scored on the way, at most. */
  tries(networks: number): number;
  /** The networks' shares, which add to 1. `tryOut` is null where there are no validation samples. */
  shares(networks: number, tryOut: TryOut | null): Promise<number[]>;
}

/** Whether one score is to be taken before another: by accuracy (or what else the task judges by), of equals by NLL. */
export const isBetter = (one: Score, other: Score): boolean =>
  one.accuracy > other.accuracy || (one.accuracy === other.accuracy && one.nll < other.nll);

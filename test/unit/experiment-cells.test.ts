import { describe, expect, test } from 'vitest';
import {
  type CellPlan,
  deriveCells,
  isFinished,
  nextTrials,
  type Outcome,
  type Trial,
  type TrialKey,
} from '../../src-shared/experiment-cells.ts';
import { roundsOf } from '../../src-shared/search.ts';

const seeds = [0, 1];
const cell = (method: number, rate: number, settings: number, isBaseline = false): CellPlan => ({
  method,
  rate,
  rounds: roundsOf(settings, true),
  isBaseline,
});
const done = (accuracy: number, nll = 1): Outcome => ({ state: 'done', accuracy, nll });
const key = ({ method, rate, purpose, round, setting, seed }: TrialKey) =>
  `${purpose} m${method} r${rate} round ${round} setting ${setting} seed ${seed}`;

/** Plays an experiment: `outcome` says what comes of each trial. Returns all of them in the order planned. */
function play(cells: CellPlan[], outcome: (key: TrialKey) => Outcome, trials: Trial[] = []): Trial[] {
  for (let looks = 0; looks < 100; looks++) {
    const next = nextTrials({ cells, seeds, trials });
    if (next.length === 0) return trials;
    for (const one of next) trials.push({ ...one, outcome: outcome(one) });
  }
  throw new Error('it never ends');
}

describe('a search by successive halving', () => {
  test('tries half as many settings with twice the steps until one is left', () => {
    expect(roundsOf(6, true)).toEqual([
      { settings: 6, share: 0.25 },
      { settings: 3, share: 0.5 },
    ]);
    expect(roundsOf(1, true)).toEqual([]);
    expect(roundsOf(6, false)).toEqual([{ settings: 6, share: 1 }]);
    // Accuracies by setting, in both rounds.
    const worth = [0.1, 0.5, 0.3, 0.6, 0.2, 0.4];
    const trials = play([cell(0, 1, 6)], ({ setting }) => done(worth[setting]));
    expect(trials.map(key)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((setting) => `tune m0 r1 round 0 setting ${setting} seed 0`),
      ...[3, 1, 5].map((setting) => `tune m0 r1 round 1 setting ${setting} seed 0`),
      'final m0 r1 round 0 setting 3 seed 0',
      'final m0 r1 round 0 setting 3 seed 1',
    ]);
    expect(isFinished({ cells: [cell(0, 1, 6)], seeds, trials })).toBe(true);
  });

  test('settles ties by the lower validation loss, then by the order of the settings', () => {
    const chosen = (outcome: (key: TrialKey) => Outcome) =>
      deriveCells({ cells: [cell(0, 1, 2)], seeds, trials: play([cell(0, 1, 2)], outcome) })[0].chosen;
    expect(chosen(({ setting }) => done(0.5, setting === 1 ? 0.9 : 1))).toBe(1);
    expect(chosen(() => done(0.5, 1))).toBe(0);
  });

  test('takes a setting that diverged for the worst, and gives up where all did', () => {
    const cells = [cell(0, 1, 2), cell(1, 1, 2)];
    const diverges: Outcome = { state: 'diverged' };
    const trials = play(cells, ({ method, setting }) =>
      method === 1 || setting === 1 ? diverges : done(0.01),
    );
    const derived = deriveCells({ cells, seeds, trials });
    expect(derived.map(({ state, chosen }) => [state, chosen])).toEqual([
      ['chosen', 0],
      ['hopeless', null],
    ]);
    expect(isFinished({ cells, seeds, trials })).toBe(true);
  });

  test('chooses at once where only one setting is left', () => {
    const trials = play([cell(0, 1, 6)], ({ setting }) =>
      setting === 4 ? done(0.1) : { state: 'diverged' },
    );
    expect(trials.filter(({ round }) => round === 1)).toEqual([]);
    expect(trials.at(-1)).toMatchObject({ purpose: 'final', setting: 4 });
  });
});

describe('an experiment', () => {
  const cells = [
    cell(0, 0.3, 1, true),
    cell(0, 1, 1, true),
    cell(1, 0.3, 2),
    cell(2, 0.3, 2),
    cell(1, 1, 2),
    cell(2, 1, 2),
  ];

  test('trains baselines before anything else, and finishes a rate before it begins the next', () => {
    const order = play(cells, ({ setting }) => done(0.5 - setting / 10)).map(
      ({ purpose, method, rate }) => `${purpose} ${method} ${rate}`,
    );
    expect(order.slice(0, 4).sort()).toEqual(['final 0 0.3', 'final 0 0.3', 'final 0 1', 'final 0 1']);
    expect(order.slice(4)).toEqual([
      ...['tune 1 0.3', 'tune 1 0.3', 'tune 2 0.3', 'tune 2 0.3'],
      ...['final 1 0.3', 'final 2 0.3', 'final 2 0.3', 'final 1 0.3'],
      ...['tune 1 1', 'tune 1 1', 'tune 2 1', 'tune 2 1'],
      ...['final 1 1', 'final 2 1', 'final 2 1', 'final 1 1'],
    ]);
  });

  test('asks for the same at every look, and for nothing that is planned already', () => {
    const first = nextTrials({ cells, seeds, trials: [] });
    expect(nextTrials({ cells, seeds, trials: [] })).toEqual(first);
    const trials = first.map((one) => ({ ...one, outcome: { state: 'pending' } as Outcome }));
    expect(nextTrials({ cells, seeds, trials })).toEqual([]);
    // Half of it written down when a process ended: the rest is asked for again.
    expect(nextTrials({ cells, seeds, trials: trials.slice(0, 3) })).toEqual(first.slice(3));
  });

  test('goes on with the other methods where a run broke, and with that one once it is tried again', () => {
    const breaks: TrialKey = { method: 1, rate: 0.3, purpose: 'tune', round: 0, setting: 0, seed: 0 };
    const isBroken = (one: TrialKey) => key(one) === key(breaks);
    const trials = play(cells, (one) => (isBroken(one) ? { state: 'broken' } : done(0.5)));
    const count = (method: number, rate: number) =>
      trials.filter((one) => one.purpose === 'final' && one.method === method && one.rate === rate).length;
    expect([count(1, 0.3), count(2, 0.3), count(1, 1), count(2, 1)]).toEqual([0, 2, 2, 2]);
    expect(isFinished({ cells, seeds, trials })).toBe(false);
    trials.find(isBroken)!.outcome = done(0.5);
    play(cells, () => done(0.5), trials);
    expect(count(1, 0.3)).toBe(2);
    expect(isFinished({ cells, seeds, trials })).toBe(true);
  });

  test('without a search is known at once: seeds outermost, the methods there and back', () => {
    const plain = [cell(0, 1, 1), cell(1, 1, 1)];
    expect(nextTrials({ cells: plain, seeds, trials: [] }).map(({ method, seed }) => [method, seed])).toEqual(
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    );
  });
});

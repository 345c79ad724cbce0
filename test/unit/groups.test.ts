import { expect, test } from 'vitest';
import { catalog } from '../../src-main/transfer/catalog.ts';
import { groupRuns } from '../../src-shared/groups.ts';
import type { SettledRun } from '../../src-shared/run-settings.ts';
import { config } from './store-rows.ts';

let next = 1;
const run = (settings: object, facts: Partial<SettledRun> = {}): SettledRun => ({
  id: next++,
  config: { ...config, method: [{ name: 'cotuning' }], ...settings },
  datasetHash: 'd1',
  modelHash: 'm1',
  engine: null,
  ...facts,
});
const names = (runs: SettledRun[]) => groupRuns(runs).map(({ name }) => name);

test('a name holds the method and exactly the settings that tell the group from the others', () => {
  expect(names([run({}), run({ method: [{ name: 'finetune' }] })])).toEqual(['cotuning', 'finetune']);
  expect(names([run({ learningRate: 0.1 }), run({ learningRate: 0.01 })])).toEqual([
    'cotuning, learning rate 0.1',
    'cotuning, learning rate 0.01',
  ]);
  expect(
    names([
      run({ rate: 0.5 }),
      run({ rate: 0.5, size: 224 }),
      run({ rate: 1, method: [{ name: 'finetune' }] }),
    ]),
  ).toEqual(['cotuning, rate 0.5, size 128', 'cotuning, rate 0.5, size 224', 'finetune, rate 1, size 128']);
});

test('with a catalog methods go by their titles', () => {
  const groups = groupRuns(
    [
      run({ method: [{ name: 'cotuning', tradeOff: 1 }, { name: 'bss' }], rate: 0.5 }),
      run({ method: [{ name: 'finetune' }], rate: 0.5 }),
    ],
    catalog(),
  );
  expect(groups).toMatchObject([
    { name: expect.stringMatching(/^Co-tuning \+ /), method: 'cotuning+bss' },
    { name: 'Fine-tuning', method: 'finetune' },
  ]);
  const shuffled = (is: boolean) =>
    run({ method: [{ name: 'cotuning', tradeOff: is ? 1 : 2, shuffled: is }] });
  expect(groupRuns([shuffled(false), shuffled(true)], catalog()).map(({ name }) => name)).toEqual([
    'Co-tuning, trade-off λ 2',
    'Co-tuning, trade-off λ 1, shuffled control',
  ]);
});

test('what is off is named beside a run of the same method that lacks it', () => {
  const names = [{}, { shuffled: false }, { shuffled: true }].map((options) =>
    run({ method: [{ name: 'cotuning', ...options }] }),
  );
  expect(groupRuns(names, catalog()).map(({ name }) => name)).toEqual([
    'Co-tuning',
    'Co-tuning, shuffled control no',
    'Co-tuning, shuffled control',
  ]);
});

test('what does not decide the result does not split a group', () => {
  const [group, ...others] = groupRuns([
    run({ seed: 0, engine: 'auto', preset: 'quick' }, { engine: { name: 'cpu', device: '', versions: {} } }),
    run({ seed: 1, engine: 'cpu', preset: 'paper' }, { engine: { name: 'cpu', device: '', versions: {} } }),
    run({ seed: 2, engine: 'cpu', checkpointEvery: 7, evaluateEvery: 9, select: 'last' }),
    run({ seed: 3, engine: 'cpu', dataset: 'renamed', model: 'renamed' }),
  ]);
  expect(others).toEqual([]);
  expect(group.runs).toHaveLength(4);
});

test('what decides the result does', () => {
  expect(
    names([run({ select: 'best', evaluateEvery: 5 }), run({ select: 'best', evaluateEvery: 9 })]),
  ).toEqual(['cotuning, evaluate every 5', 'cotuning, evaluate every 9']);
});

test('no label stands for two groups, also where two datasets have one name', () => {
  expect(names([run({}), run({}, { datasetHash: 'e2' })])).toEqual([
    `cotuning, dataset ${config.dataset} (d1)`,
    `cotuning, dataset ${config.dataset} (e2)`,
  ]);
});

test('a method made of terms is named by them, and their options tell it apart', () => {
  const terms = (tradeOff: number) => ({ method: [{ name: 'cotuning', lambda: tradeOff }, { name: 'bss' }] });
  expect(names([run(terms(1)), run(terms(2)), run({ method: [{ name: 'bss' }] })])).toEqual([
    'cotuning+bss, lambda 1',
    'cotuning+bss, lambda 2',
    'bss',
  ]);
});

test('the first of several runs of one seed counts', () => {
  const [one, again, other] = [run({ seed: 4 }), run({ seed: 4 }), run({ seed: 5 })];
  expect(groupRuns([one, again, other])).toMatchObject([{ runs: [one, other], repeats: [again] }]);
});

import { expect, test } from 'vitest';
import { catalog } from '../../src-main/transfer/catalog.ts';
import type { RunConfig } from '../../src-shared/domain.ts';
import {
  asTrial,
  hasStrength,
  roundsOf,
  settingsOf,
  settingText,
  withSetting,
} from '../../src-shared/search.ts';
import { usualConfig } from '../usual-config.ts';

const search = { learningRates: [0.3, 1, 3], strengths: 2, halving: true };
const config: RunConfig = {
  ...usualConfig,
  method: [{ name: 'cotuning', tradeOff: 2.3, approach: 'reverse', shuffled: false }],
};

test('every method gets as many settings and as many steps of search as every other', () => {
  const parts = catalog();
  const [withOne, without] = [true, false].map((strong) => settingsOf(search, strong));
  expect(withOne).toHaveLength(6);
  expect(without).toHaveLength(6);
  expect(roundsOf(withOne.length, true)).toEqual(roundsOf(without.length, true));
  // One without a strength has learning rates instead, over the same range.
  expect(without.map(({ learningRate }) => Number(learningRate.toPrecision(3)))).toEqual([
    0.3, 0.475, 0.754, 1.19, 1.89, 3,
  ]);
  expect(hasStrength(['cotuning'], parts)).toBe(true);
  expect(hasStrength(['finetune'], parts)).toBe(false);
  expect(settingsOf({ ...search, strengths: 1 }, false).map(({ learningRate }) => learningRate)).toEqual([
    0.3, 1, 3,
  ]);
});

test('every strength has the factors that a search may ask for, the published value first, and stays within its bounds', () => {
  const strong = catalog().method.flatMap((part) =>
    part.options.filter(({ strength }) => strength).map((option) => ({ part, option })),
  );
  expect(strong.length).toBeGreaterThan(0);
  for (const { part, option } of strong) {
    expect(option.strength, `${part.name}.${option.name}`).toHaveLength(4);
    expect(option.strength![0]).toBe(1);
    expect(new Set(option.strength).size).toBe(4);
    expect(typeof option.default).toBe('number');
  }
});

test('a setting changes the learning rate and the strength of the method, and nothing else', () => {
  const changed = withSetting(config, { learningRate: 0.3, strength: 1 }, catalog());
  expect(changed).toEqual({
    ...config,
    learningRate: 0.0003,
    method: [{ ...config.method[0], tradeOff: 0.23 }],
  });
  expect(settingText(changed, catalog())).toBe('learning rate 0.0003, Trade-off λ 0.23');
  // From another value than the published one, that one is tried next.
  const begun = { ...config, method: [{ ...config.method[0], tradeOff: 0.23 }] };
  const tried = [0, 1, 2, 3].map((strength) => withSetting(begun, { learningRate: 1, strength }, catalog()));
  expect(tried.map(({ method }) => method[0].tradeOff)).toEqual([0.23, 2.3, 0.69, 6.9]);
  // Where bounds make multiples one, there are fewer values than places.
  const bounded = catalog();
  Object.assign(bounded.method.find(({ name }) => name === 'cotuning')!.options[0], {
    minimum: 2,
    maximum: 2.3,
  });
  expect(withSetting(config, { learningRate: 1, strength: 3 }, bounded).method[0].tradeOff).toBe(2.3);
});

test('a shorter training has its schedule where the whole one has it, in proportion, and validates at the end unless what counts depends on more', () => {
  expect(asTrial(config, 0.25, catalog())).toEqual({
    ...config,
    steps: 75,
    evaluateEvery: 0,
    checkpointEvery: 15,
    schedule: { name: 'step', decayAt: [50], decayFactor: 0.1 },
  });
  expect(asTrial({ ...config, select: 'best' }, 0.25, catalog()).evaluateEvery).toBe(15);
  const warm = asTrial({ ...config, schedule: { name: 'cosine', warmup: 20, floor: 0.1 } }, 0.5, catalog());
  expect(warm.schedule).toEqual({ name: 'cosine', warmup: 10, floor: 0.1 });
});

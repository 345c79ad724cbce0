import { expect } from 'vitest';
import { writeTinyNetwork } from '../browser/tiny-network.ts';
import { cotune } from './cli-process.ts';
import { type Fixture, makeFixture } from './fixture.ts';

/** Flags of a training of two steps with what `twoStepRuns` has imported. */
export const twoSteps = [
  ...['--dataset', 'insects', '--model', 'tiny', '--engine', 'cpu'],
  ...['--steps', '2', '--batch', '4', '--size', '32'],
];

/** A home with pictures and a tiny network, for trainings by the command line. */
export async function twoStepRuns() {
  const fixture: Fixture = await makeFixture();
  writeTinyNetwork(fixture.weights);
  const home = ['--home', fixture.home];
  expect((await cotune(['import', fixture.images, '--name', 'insects', ...home])).code).toBe(0);
  expect((await cotune(['models', 'add', fixture.weights, '--name', 'tiny', ...home])).code).toBe(0);
  return {
    ...fixture,
    /** The document of a training that has to finish. */
    async trained(...args: string[]) {
      const { code, stdout, stderr } = await cotune(['train', ...args, '--json', ...home]);
      expect([stderr, code]).toEqual([stderr, 0]);
      return JSON.parse(stdout);
    },
  };
}

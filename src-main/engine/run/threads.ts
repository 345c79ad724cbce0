import { CotuneError } from '../../../src-shared/errors.ts';

const variable = 'COTUNE_THREADS';

/**
 * How many processor threads an operator may take: the environment variable COTUNE_THREADS, or else the runtime's choice,
 * which is one for every core. Errors: `bad-input` where the variable holds no number of threads.
 */
export function threadOptions(given = process.env[variable]): { intraOpNumThreads?: number } {
  if (!given) return {};
  const threads = Number(given);
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 1024))
    throw new CotuneError(
      'bad-input',
      `The environment variable ${variable} is “${given}”, which is no number of threads.`,
      'Give it a whole number from 1 on, or leave it out for all cores.',
    );
  return { intraOpNumThreads: threads };
}

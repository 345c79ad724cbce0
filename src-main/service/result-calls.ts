import { CotuneError } from '../../src-shared/errors.ts';
import type { Context, Handlers } from './context.ts';
import { findRun } from './lookup.ts';

type Names = 'runs.evaluation' | 'runs.predictions' | 'runs.compare';

/** What finished runs predicted. */
export function resultCalls({ store }: Context): Handlers<Names> {
  const notYet = () => {
    throw new CotuneError('unavailable', 'Evaluation is not built into this version yet.');
  };
  return {
    'runs.evaluation': notYet,
    'runs.compare': notYet,
    'runs.predictions': ({ run, split, offset, limit, ...filter }) =>
      store.predictions.page(findRun(store, run).id, split, filter, offset, limit),
  };
}

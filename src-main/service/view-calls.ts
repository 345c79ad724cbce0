import { CotuneError } from '../../src-shared/errors.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset } from './lookup.ts';

type Names = 'views.list' | 'views.save' | 'views.delete';

/** Named filters of a dataset's pictures. */
export function viewCalls({ store }: Context): Handlers<Names> {
  return {
    'views.list': ({ dataset }) => store.views.list(findDataset(store, dataset).id),
    'views.save': ({ dataset, ...view }) => store.views.save(findDataset(store, dataset).id, view),
    'views.delete': ({ view }) => {
      if (!store.views.delete(view))
        throw new CotuneError('not-found', `There is no view ${view}.`, 'It may be deleted already.');
      return { ok: true };
    },
  };
}

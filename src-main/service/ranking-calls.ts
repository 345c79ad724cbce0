import { CotuneError } from '../../src-shared/errors.ts';
import type { Context, Handlers } from './context.ts';

type Names = Extract<keyof Handlers, `rankings.${string}`>;

const missing = (id: number) =>
  new CotuneError('not-found', `There is no ranking ${id}.`, 'Look at the list of rankings.');

export const rankingCalls = ({ store }: Context): Handlers<Names> => ({
  'rankings.list': () => store.rankings.list(),
  'rankings.get': ({ ranking: id }) => {
    const ranking = store.rankings.get(id);
    if (!ranking) throw missing(id);
    return ranking;
  },
  'rankings.delete': ({ ranking: id }) => {
    if (!store.rankings.delete(id)) throw missing(id);
    return { ok: true };
  },
});

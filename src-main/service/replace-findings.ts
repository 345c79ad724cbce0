import type { Dataset } from '../../src-shared/domain.ts';
import type { Context } from './context.ts';

/** Puts what was found in place of what an earlier check found. */
export function replaceFindings({ store, emit }: Context, { id }: Dataset, replace: () => void): void {
  store.transaction(() => {
    replace();
    store.findings.decide(id);
  });
  emit('datasets.changed', {});
}

import { rmSync } from 'node:fs';
import type { Context } from './context.ts';

/** Removes the copy of weights that no model has any more. */
export function dropUnused({ store, home }: Pick<Context, 'store' | 'home'>, hash: string): void {
  if (!store.models.usesHash(hash)) rmSync(home.modelFile(hash), { force: true });
}

import type { Catalog } from '../../src-shared/parts.ts';

/** What trainings can be put together from. Loaded where it is called: it brings tf.js along. */
export const loadCatalog = async (): Promise<Catalog> => (await import('../transfer/catalog.ts')).catalog();

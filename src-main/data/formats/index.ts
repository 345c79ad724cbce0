import { folders } from './folders.ts';
import type { DatasetFormat } from './format.ts';

/** How datasets may lie. */
export const datasetFormats: readonly DatasetFormat[] = [folders];

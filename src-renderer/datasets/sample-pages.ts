import type { CallOutput } from '../../src-shared/contract.ts';
import type { Pages } from '../loaded.svelte.ts';

/** The samples that a filter lets through, as they come into view. */
export type SamplePages = Pages<CallOutput<'datasets.samples'>['samples'][number]>;

import type { Term } from '../term.ts';
import { cotuning } from './cotuning.ts';
import { finetune } from './finetune.ts';

/** Every method, in the order in which they are listed and their names put together. */
export const methods: readonly Term[] = [finetune, cotuning];

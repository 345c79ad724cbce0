import type { Term } from '../term.ts';
import { adapter } from './adapter.ts';
import { bitfit } from './bitfit.ts';
import { bss } from './bss.ts';
import { cotuning } from './cotuning.ts';
import { finetune } from './finetune.ts';
import { l2sp } from './l2-sp.ts';
import { lora } from './lora.ts';
import { scratch } from './scratch.ts';
import { stochnorm } from './stochnorm.ts';

/** Every method, in the order in which they are listed and their names put together. */
export const methods: readonly Term[] = [
  finetune,
  cotuning,
  l2sp,
  bss,
  stochnorm,
  bitfit,
  adapter,
  lora,
  scratch,
];

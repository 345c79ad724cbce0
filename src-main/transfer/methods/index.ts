import type { Term } from '../term.ts';
import { adapter } from './adapter.ts';
import { bitfit } from './bitfit.ts';
import { bss } from './bss.ts';
import { cotuning } from './cotuning.ts';
import { finetune } from './finetune.ts';
import { l2sp } from './l2-sp.ts';
import { linearProbe } from './linear-probe.ts';
import { lora } from './lora.ts';
import { lpft } from './lp-ft.ts';
import { scratch } from './scratch.ts';
import { stochnorm } from './stochnorm.ts';

/** Every method, in the order in which they are listed and their names put together. */
export const methods: readonly Term[] = [
  finetune,
  cotuning,
  linearProbe,
  lpft,
  l2sp,
  bss,
  stochnorm,
  bitfit,
  adapter,
  lora,
  scratch,
];

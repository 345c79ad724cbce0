import type { Term } from '../term.ts';
import { adapter } from './adapter.ts';
import { biTuning } from './bi-tuning.ts';
import { bitfit } from './bitfit.ts';
import { bss } from './bss.ts';
import { cotuning } from './cotuning.ts';
import { delta } from './delta.ts';
import { ewc } from './ewc.ts';
import { featureMap } from './feature-map.ts';
import { finetune } from './finetune.ts';
import { kd } from './kd.ts';
import { l2sp } from './l2-sp.ts';
import { linearProbe } from './linear-probe.ts';
import { lora } from './lora.ts';
import { lpft } from './lp-ft.ts';
import { lwf } from './lwf.ts';
import { scratch } from './scratch.ts';
import { stochnorm } from './stochnorm.ts';

/** Every method, in the order in which they are listed and their names put together. */
export const methods: readonly Term[] = [
  finetune,
  cotuning,
  linearProbe,
  lpft,
  l2sp,
  featureMap,
  delta,
  bss,
  stochnorm,
  lwf,
  kd,
  biTuning,
  ewc,
  bitfit,
  adapter,
  lora,
  scratch,
];

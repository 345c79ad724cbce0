import { paper } from './paper.ts';
import type { Preset } from './preset.ts';
import { quick } from './quick.ts';
import { tllib } from './tllib.ts';

/** The presets; the first is the default. */
export const presets: readonly [Preset, ...Preset[]] = [quick, paper, tllib];

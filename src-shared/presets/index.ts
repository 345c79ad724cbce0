import { bert } from './bert.ts';
import { paper } from './paper.ts';
import type { Preset } from './preset.ts';
import { quick } from './quick.ts';
import { tllib } from './tllib.ts';

/** The presets; the first of those for a network is its default. */
export const presets: readonly [Preset, ...Preset[]] = [quick, paper, tllib, bert];

/** Those for networks of images or of texts. */
export const presetsFor = (takes: Preset['takes']): readonly Preset[] =>
  presets.filter((preset) => preset.takes === takes);

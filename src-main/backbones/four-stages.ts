import type { Layer } from './description.ts';

/** A transformer's layers, front to back, in four stages of as many layers as can be. */
export const inFourStages = (layers: readonly Layer[]): Layer[][] =>
  [0, 1, 2, 3].map((stage) =>
    layers.slice(Math.round((stage * layers.length) / 4), Math.round(((stage + 1) * layers.length) / 4)),
  );

import { type Backbone, stageOf } from './backbone.ts';

/**
 * The backbone in parts from front to back, each the names of layers that own tensors: the stem with the first block, then a
 * block with what lies between it and the one before; what follows the last belongs to it. A network without blocks comes in its
 * stages.
 */
export function partsOf({ stages, blocks }: Pick<Backbone, 'stages' | 'blocks'>): string[][] {
  const [stem, first, ...others] = stages;
  if (blocks.length === 0) return [[...stem, ...first], ...others.map((stage) => [...stage])];
  const parts: string[][] = [];
  let between: string[] = [];
  let current = '';
  for (const layer of stages.flat()) {
    const block = blocks.find(({ name }) => layer.startsWith(`${name}.`))?.name;
    if (block === undefined) between.push(layer);
    else if (block === current) parts.at(-1)!.push(layer);
    else {
      parts.push([...between, layer]);
      between = [];
      current = block;
    }
  }
  parts.at(-1)!.push(...between);
  return parts;
}

/** How many parts lie in the first so many stages behind the stem. */
export const partsUntil = (backbone: Backbone, stages: number): number =>
  partsOf(backbone).filter((layers) => layers.every((layer) => stageOf(backbone, layer)! <= stages)).length;

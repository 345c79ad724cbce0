import { type Backbone, stageOf } from './backbone.ts';

/**
 * The backbone in parts from front to back, each what its tensors' and masks' names begin with: the stem with the first block,
 * then a block with the layers between it and the one before; what follows the last belongs to it. A network without blocks comes
 * in its stages.
 */
export function partsOf({ stages, blocks }: Pick<Backbone, 'stages' | 'blocks'>): string[][] {
  const [stem, first, ...others] = stages;
  if (blocks.length === 0) return [[...stem, ...first], ...others.map((stage) => [...stage])];
  const parts: string[][] = [];
  let between: string[] = [];
  for (const layer of stages.flat()) {
    const block = blocks.find(({ name }) => layer.startsWith(`${name}.`))?.name;
    if (block === undefined) between.push(layer);
    else if (parts.at(-1)?.at(-1) !== block) {
      parts.push([...between, block]);
      between = [];
    }
  }
  parts.at(-1)!.push(...between);
  return parts;
}

/** How many parts lie in the first so many stages behind the stem. */
export function partsUntil(backbone: Backbone, stages: number): number {
  const stageIn = (name: string) =>
    backbone.blocks.find((block) => block.name === name)?.stage ?? stageOf(backbone, name)!;
  return partsOf(backbone).filter((names) => names.every((name) => stageIn(name) <= stages)).length;
}

import type { ShapeOf } from './architecture.ts';
import type { Backbone } from './backbone.ts';
import type { Description, Layer } from './description.ts';

type Width = Extract<Layer, { op: 'adapter' }>['width'];

const nameOf = (number: number): string => `adapter${number}`;

/** A network with one more adapter at the end of every block: the first is `adapter1`. It begins as the network itself is. */
export const withAdapter = (description: Description, width: Width): Description =>
  adapted(description, nameOf(countIn(description) + 1), () => width);

/** A network with the adapters that a file's tensors are of. */
export function withAdaptersOf(description: Description, shapeOf: ShapeOf): Description {
  const name = nameOf(countIn(description) + 1);
  const widthOf = (block: string) => shapeOf(`${block}.${name}.down.weight`)?.[0];
  const isThere = blocksOf(description).some((block) => widthOf(block.name) !== undefined);
  return isThere ? withAdaptersOf(adapted(description, name, widthOf), shapeOf) : description;
}

/** What is in the names of the newest adapters' tensors; null where a network has none. */
export function newestAdapter({ tensors }: Pick<Backbone, 'tensors'>): string | null {
  const numbers = tensors.map(({ name }) => Number(/\.adapter(\d+)\./.exec(name)?.[1] ?? 0));
  const newest = numbers.reduce((most, number) => Math.max(most, number), 0);
  return newest === 0 ? null : `.${nameOf(newest)}.`;
}

const blocksOf = ({ stages }: Description) =>
  stages.flat().filter((layer): layer is Extract<Layer, { op: 'block' }> => layer.op === 'block');

const countIn = (description: Description): number =>
  Math.max(
    0,
    ...blocksOf(description).map(({ layers }) => layers.filter(({ op }) => op === 'adapter').length),
  );

function adapted(
  description: Description,
  name: string,
  widthOf: (block: string) => Width | undefined,
): Description {
  const isSequence = description.stages.flat().some(({ op }) => op === 'tokens' || op === 'pieces');
  const of = isSequence ? 'tokens' : 'image';
  const append = (layer: Layer): Layer => {
    const width = layer.op === 'block' ? widthOf(layer.name) : undefined;
    if (layer.op !== 'block' || width === undefined) return layer;
    return { ...layer, layers: [...layer.layers, { op: 'adapter', name, width, of }] };
  };
  return { ...description, stages: description.stages.map((layers) => layers.map(append)) };
}

/** What the descriptions of networks of inverted residual blocks share: MobileNetV3 and EfficientNet. */
import type { Layer } from './description.ts';

/** Stages begin where the side halves, as a ResNet's do; the stem is what comes before the second halving. */
export function stagesByHalving(
  stem: Layer[],
  blocks: readonly { stride: number; layer: Layer }[],
  end: Layer[],
): Layer[][] {
  const stages: Layer[][] = [[...stem]];
  for (const { stride, layer } of blocks) {
    if (stride === 2) stages.push([]);
    stages.at(-1)!.push(layer);
  }
  stages.at(-1)!.push(...end);
  return stages;
}

interface InvertedBlock {
  /** torchvision's name. */
  name: string;
  /** Stage and place in timm's `blocks`. */
  timm: readonly number[];
  expands: boolean;
  isExcited: boolean;
}

/** Names of a convolution and of the batch norm behind it. */
type Unit = readonly [string, string];

/** What a library calls the layers of inverted residual blocks. */
export interface InvertedScheme {
  /** A block by its place in timm's `blocks`, and by its number. */
  block(timm: readonly number[], index: number): string;
  expand: Unit;
  depthwise(expands: boolean): Unit;
  excitation: readonly [string, string];
  project(expands: boolean): Unit;
}

export const timmInverted: InvertedScheme = {
  block: (timm) => `blocks.${timm.join('.')}`,
  expand: ['conv_pw', 'bn1'],
  depthwise: (expands) => ['conv_dw', expands ? 'bn2' : 'bn1'],
  excitation: ['se.conv_reduce', 'se.conv_expand'],
  project: (expands) => (expands ? ['conv_pwl', 'bn3'] : ['conv_pw', 'bn2']),
};

/** A library's names of the layers of inverted residual blocks, and torchvision's. */
export function invertedNames(blocks: readonly InvertedBlock[], scheme: InvertedScheme): [string, string][] {
  return blocks.flatMap(({ name, timm, expands, isExcited }, index) => {
    const from = scheme.block(timm, index);
    let at = 0;
    const pair = (theirs: Unit, ours: Unit): [string, string][] => {
      const to = `${name}.block.${at++}`;
      return theirs.map((layer, i) => [`${from}.${layer}`, `${to}.${ours[i]}`]);
    };
    return [
      ...(expands ? pair(scheme.expand, ['0', '1']) : []),
      ...pair(scheme.depthwise(expands), ['0', '1']),
      ...(isExcited ? pair(scheme.excitation, ['fc1', 'fc2']) : []),
      ...pair(scheme.project(expands), ['0', '1']),
    ];
  });
}

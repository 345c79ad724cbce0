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

/** timm's names of the layers of inverted residual blocks, and torchvision's. */
export function invertedNames(blocks: readonly InvertedBlock[]): [string, string][] {
  return blocks.flatMap(({ name, timm, expands, isExcited }) => {
    const from = `blocks.${timm.join('.')}`;
    let at = 0;
    const unit = (conv: string, norm: string): [string, string][] => {
      const to = `${name}.block.${at++}`;
      return [
        [`${from}.${conv}`, `${to}.0`],
        [`${from}.${norm}`, `${to}.1`],
      ];
    };
    const first = expands ? unit('conv_pw', 'bn1') : [];
    const depthwise = unit('conv_dw', expands ? 'bn2' : 'bn1');
    const excitation: [string, string][] = isExcited
      ? [
          [`${from}.se.conv_reduce`, `${name}.block.${at}.fc1`],
          [`${from}.se.conv_expand`, `${name}.block.${at++}.fc2`],
        ]
      : [];
    const last = expands ? unit('conv_pwl', 'bn3') : unit('conv_pw', 'bn2');
    return [...first, ...depthwise, ...excitation, ...last];
  });
}

import type { Architecture } from '../architecture.ts';
import {
  activation,
  batchNorm,
  block,
  convolution,
  globalPool,
  type Layer,
  linear,
  maxPool,
  sum,
} from '../description.ts';

interface Variant {
  title: string;
  /** Blocks of each stage. */
  blocks: readonly number[];
  bottleneck: boolean;
  /** Groups of the 3×3 convolution, and its channels in the first stage where these are not 64. */
  groups?: number;
  inner?: number;
  source?: string;
}

const he = 'He et al., «Deep Residual Learning for Image Recognition», CVPR 2016';

const variants: Record<string, Variant> = {
  resnet18: { title: 'ResNet-18', blocks: [2, 2, 2, 2], bottleneck: false },
  resnet34: { title: 'ResNet-34', blocks: [3, 4, 6, 3], bottleneck: false },
  resnet50: { title: 'ResNet-50', blocks: [3, 4, 6, 3], bottleneck: true },
  resnet101: { title: 'ResNet-101', blocks: [3, 4, 23, 3], bottleneck: true },
  resnet152: { title: 'ResNet-152', blocks: [3, 8, 36, 3], bottleneck: true },
  resnext50_32x4d: {
    title: 'ResNeXt-50 32x4d',
    blocks: [3, 4, 6, 3],
    bottleneck: true,
    groups: 32,
    inner: 128,
    source: 'Xie et al., «Aggregated Residual Transformations for Deep Neural Networks», CVPR 2017',
  },
  wide_resnet50_2: {
    title: 'Wide ResNet-50-2',
    blocks: [3, 4, 6, 3],
    bottleneck: true,
    inner: 128,
    source: 'Zagoruyko and Komodakis, «Wide Residual Networks», BMVC 2016',
  },
};

/** A convolution that keeps its channels to its norm, with torchvision's numbers. */
const unit = (index: number, out: number, kernel: number, stride = 1, groups = 1): Layer[] => [
  convolution(`conv${index}`, out, { kernel, stride, groups }),
  batchNorm(`bn${index}`),
];

/** A residual block; a bottleneck strides in its 3×3 convolution, as torchvision (v1.5) does. */
function residual(
  { bottleneck, groups }: Variant,
  { inner, out, stride, changes }: { inner: number; out: number; stride: number; changes: boolean },
): Layer[] {
  const relu = activation('relu');
  const main = bottleneck
    ? [...unit(1, inner, 1), relu, ...unit(2, inner, 3, stride, groups), relu, ...unit(3, out, 1)]
    : [...unit(1, inner, 3, stride), relu, ...unit(2, out, 3)];
  const shortcut = changes ? [convolution('downsample.0', out, { stride }), batchNorm('downsample.1')] : [];
  return [sum(main, shortcut), relu];
}

function stages(variant: Variant, width: number): Layer[][] {
  const stem = Math.round(64 * width);
  let channels = stem;
  return variant.blocks.map((count, stage) =>
    Array.from({ length: count }, (_, index) => {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const base = stem * 2 ** stage;
      const inner = Math.round((base * (variant.inner ?? 64)) / 64);
      const out = base * (variant.bottleneck ? 4 : 1);
      const changes = stride !== 1 || channels !== out;
      channels = out;
      const groups = Math.max(1, Math.round((variant.groups ?? 1) * width));
      return block(
        `layer${stage + 1}.${index}`,
        ...residual({ ...variant, groups }, { inner, out, stride, changes }),
      );
    }),
  );
}

/** Names of transformers' ResNet; `prefix`: what a network with a head has before its backbone's. */
function transformersNames({ blocks, bottleneck }: Variant, prefix: string): Map<string, string> {
  const names = new Map([['classifier.1', 'fc']]);
  const unit = (theirs: string, conv: string, norm: string) => {
    names.set(`${theirs}.convolution`, conv);
    names.set(`${theirs}.normalization`, norm);
  };
  unit(`${prefix}embedder.embedder`, 'conv1', 'bn1');
  for (const [stage, count] of blocks.entries())
    for (let index = 0; index < count; index++) {
      const theirs = `${prefix}encoder.stages.${stage}.layers.${index}`;
      const ours = `layer${stage + 1}.${index}`;
      unit(`${theirs}.shortcut`, `${ours}.downsample.0`, `${ours}.downsample.1`);
      for (let layer = 0; layer < (bottleneck ? 3 : 2); layer++)
        unit(`${theirs}.layer.${layer}`, `${ours}.conv${layer + 1}`, `${ours}.bn${layer + 1}`);
    }
  return names;
}

/** ResNets of any width with torchvision's names, which are timm's too. */
export default Object.entries(variants).map(
  ([name, variant]): Architecture => ({
    name,
    title: variant.title,
    source: variant.source ?? he,
    sizesOf: (shapeOf) => ({ width: (shapeOf('conv1.weight')?.[0] ?? 64) / 64 }),
    describe: ({ width }) => ({
      batchNorm: { epsilon: 1e-5, momentum: 0.1 },
      stages: [
        [
          convolution('conv1', Math.round(64 * width), { kernel: 7, stride: 2 }),
          batchNorm('bn1'),
          activation('relu'),
          maxPool(3, 2, 1),
        ],
        ...stages(variant, width),
      ],
      neck: [globalPool()],
      head: [linear('fc', 'classes')],
    }),
    dialects: () =>
      ['resnet.', ''].map((prefix) => ({
        library: 'transformers',
        names: transformersNames(variant, prefix),
      })),
  }),
);

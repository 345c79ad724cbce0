import type { Architecture, ShapeOf, Sizes } from '../architecture.ts';
import {
  activation,
  attention,
  block,
  convolution,
  type Description,
  type Layer,
  layerNorm,
  linear,
  stochasticDepth,
  sum,
} from '../description.ts';
import { inFourStages } from '../four-stages.ts';

/** The numbers of a vision transformer. */
export interface VisionTransformer {
  patch: number;
  layers: number;
  heads: number;
  hidden: number;
  mlp: number;
}

/** Touvron et al., «Training data-efficient image transformers», ICML 2021, table 1; their networks are the same as timm's. */
const variants: Record<string, { title: string; size: string; heads: number }> = {
  vit_ti_16: { title: 'ViT-Ti/16', size: 'tiny', heads: 3 },
  vit_s_16: { title: 'ViT-S/16', size: 'small', heads: 6 },
  vit_b_16: { title: 'ViT-B/16', size: 'base', heads: 12 },
};

const patch = 16;
const layers = 12;
const epsilon = 1e-6;
/** The last layer's share of stochastic depth in the training of DeiT. Touvron et al., table 9. */
const depthRate = 0.1;
/** Places along a side of the published networks' 224 px. */
const published = 14;
const positions = 'encoder.pos_embedding';
const layerName = (index: number) => `encoder.layers.encoder_layer_${index}`;

function encoderLayer(index: number, { layers, heads, hidden, mlp }: VisionTransformer): Layer {
  const rate = (depthRate * index) / Math.max(1, layers - 1);
  return block(
    layerName(index),
    sum(
      [
        layerNorm('ln_1', epsilon),
        attention('self_attention', heads),
        stochasticDepth('stochastic_depth.0', rate),
      ],
      [],
    ),
    sum(
      [
        layerNorm('ln_2', epsilon),
        linear('mlp.0', mlp),
        activation('gelu'),
        linear('mlp.3', hidden),
        stochasticDepth('stochastic_depth.1', rate),
      ],
      [],
    ),
  );
}

/** A vision transformer with torchvision's names, whose positions are those of `grid` by `grid` patches. */
export function visionTransformer(numbers: VisionTransformer, grid: number): Description {
  const { hidden } = numbers;
  const all = Array.from({ length: numbers.layers }, (_, index) => encoderLayer(index, numbers));
  return {
    batchNorm: { epsilon: 1e-5, momentum: 0.1 },
    stages: [
      [
        convolution('conv_proj', hidden, {
          kernel: numbers.patch,
          stride: numbers.patch,
          pad: 0,
          bias: true,
        }),
        { op: 'tokens', classToken: 'class_token', positions, grid },
      ],
      ...inFourStages(all),
    ],
    // Norms look at tokens one by one: the class token's is all that is needed.
    neck: [{ op: 'classToken' }, layerNorm('encoder.ln', epsilon)],
    head: [linear('heads.head', 'classes')],
  };
}

/** Rows and columns of a file's positions, of which one is the class token's. */
function gridOf(shapeOf: ShapeOf): number {
  const places = shapeOf(positions)?.[1] ?? 0;
  const grid = Math.round(Math.sqrt(places - 1));
  return grid ** 2 === places - 1 && grid > 0 ? grid : published;
}

/** timm's names. */
function timmNames(): Map<string, string> {
  const names = new Map([
    ['cls_token', 'class_token'],
    ['pos_embed', positions],
    ['patch_embed.proj', 'conv_proj'],
    ['norm', 'encoder.ln'],
    ['head', 'heads.head'],
  ]);
  const parts = {
    norm1: 'ln_1',
    norm2: 'ln_2',
    'attn.qkv.weight': 'self_attention.in_proj_weight',
    'attn.qkv.bias': 'self_attention.in_proj_bias',
    'attn.proj': 'self_attention.out_proj',
    'mlp.fc1': 'mlp.0',
    'mlp.fc2': 'mlp.3',
  };
  for (let index = 0; index < layers; index++)
    for (const [theirs, ours] of Object.entries(parts))
      names.set(`blocks.${index}.${theirs}`, `${layerName(index)}.${ours}`);
  return names;
}

/**
 * Names of transformers' ViT and DeiT; query, key and value are three projections there. `prefix`: what a network with a head has
 * before its backbone's.
 */
function transformersNames(prefix: string): Map<string, string> {
  const names = new Map([
    [`${prefix}embeddings.cls_token`, 'class_token'],
    [`${prefix}embeddings.position_embeddings`, positions],
    [`${prefix}embeddings.patch_embeddings.projection`, 'conv_proj'],
    [`${prefix}layernorm`, 'encoder.ln'],
    ['classifier', 'heads.head'],
  ]);
  const parts = {
    layernorm_before: 'ln_1',
    layernorm_after: 'ln_2',
    'attention.attention.query': 'self_attention.query',
    'attention.attention.key': 'self_attention.key',
    'attention.attention.value': 'self_attention.value',
    'attention.output.dense': 'self_attention.out_proj',
    'intermediate.dense': 'mlp.0',
    'output.dense': 'mlp.3',
  };
  for (let index = 0; index < layers; index++)
    for (const [theirs, ours] of Object.entries(parts))
      names.set(`${prefix}encoder.layer.${index}.${theirs}`, `${layerName(index)}.${ours}`);
  return names;
}

/** The packed projections and what they are made of where a file keeps them apart. */
function packedProjections(): Map<string, string[]> {
  const packed = new Map<string, string[]>();
  for (let index = 0; index < layers; index++)
    for (const leaf of ['weight', 'bias']) {
      const at = `${layerName(index)}.self_attention`;
      packed.set(
        `${at}.in_proj_${leaf}`,
        ['query', 'key', 'value'].map((part) => `${at}.${part}.${leaf}`),
      );
    }
  return packed;
}

/** What torchvision called the layers of a multilayer perceptron before its version 0.14. */
function olderNames(): Map<string, string> {
  const names = new Map<string, string>();
  for (let index = 0; index < layers; index++)
    for (const [before, now] of [
      ['linear_1', '0'],
      ['linear_2', '3'],
    ])
      names.set(`${layerName(index)}.mlp.${before}`, `${layerName(index)}.mlp.${now}`);
  return names;
}

export default Object.entries(variants).map(
  ([name, { title, size, heads }]): Architecture => ({
    name,
    title,
    source: 'Dosovitskiy et al., «An Image is Worth 16x16 Words», ICLR 2021',
    aliases: ['vit', 'deit'].flatMap((kind) => [224, 384].map((side) => `${kind}_${size}_patch16_${side}`)),
    describe({ width, grid = published }: Sizes) {
      const hidden = 64 * Math.max(1, Math.round(heads * width));
      return visionTransformer({ patch, layers, heads: hidden / 64, hidden, mlp: 4 * hidden }, grid);
    },
    sizesOf: (shapeOf) => ({ width: 1, grid: gridOf(shapeOf) }),
    dialects: () => [
      { library: 'timm', names: timmNames() },
      { library: 'torchvision', names: olderNames() },
      ...['vit.', 'deit.', ''].map((prefix) => ({
        library: 'transformers',
        names: transformersNames(prefix),
        unused: [`${prefix}pooler`],
      })),
    ],
    packed: packedProjections,
  }),
);

import type * as tf from '@tensorflow/tfjs-core';
import type { Backbone, Block, MaskSite, Padding, Scope } from './backbone.ts';
import type { Description, Layer, Width } from './description.ts';
import { layerKinds } from './layers/index.ts';
import type { Built, Site } from './layers/layer.ts';

/** A network's tensors and forward pass from its description, without any weights. */
export function buildBackbone(description: Description, padding: Padding): Backbone {
  const blocks: Block[] = [];
  const masks: MaskSite[] = [];
  const attentions: (readonly string[])[] = [];
  const site = (channels: number, stage: number): Site => ({
    prefix: '',
    channels,
    padding,
    width: known,
    build: (layers, at) => sequence(layers, at),
    onBlock: (name) => blocks.push({ name, stage }),
    onMask: (mask) => masks.push(mask),
    onAttention: (projections) => attentions.push(projections),
  });
  let channels = 3;
  const stages = description.stages.map((layers, stage) => {
    const built = sequence(layers, site(channels, stage));
    channels = built.channels;
    return built;
  });
  const neck = sequence(description.neck, site(channels, stages.length - 1));
  const features = neck.channels;
  const headSite = (classes: number): Site => ({
    ...site(features, stages.length - 1),
    width: (out) => (out === 'classes' ? classes : out),
  });
  const head = classifierOf(description.head);
  const headOf = (name: string, classes: number) => {
    const layers = name === head.name ? description.head : (description.newHead ?? description.head);
    const last = classifierOf(layers);
    return sequence(
      layers.map((layer) => (layer === last ? { ...last, name } : layer)),
      headSite(classes),
    );
  };
  const owners = ({ tensors }: Built) => [...new Set(tensors.map(({ name }) => ownerOf(name)))];
  const resume = (from: number, value: tf.Tensor, scope: Scope): tf.Tensor => {
    let x = value;
    for (const [index, part] of stages.slice(from).entries()) {
      x = part.forward(x, scope);
      scope.tap?.(names[from + index], x);
    }
    x = neck.forward(x, scope);
    scope.tap?.('features', x);
    return x;
  };
  const names = stages.map((_, stage) => (stage === 0 ? 'stem' : `stage${stage}`));
  return {
    tensors: [...stages, neck].flatMap((part) => part.tensors),
    features,
    batchNorm: description.batchNorm,
    stages: stages.map((part, stage) =>
      stage === stages.length - 1 ? [...owners(part), ...owners(neck)] : owners(part),
    ),
    blocks,
    taps: [...names, ...blocks.map(({ name }) => name), 'features'],
    masks,
    attentions,
    head: head.name,
    rectifiesScores: description.head
      .slice(description.head.indexOf(head))
      .some((layer) => layer.op === 'activation' && layer.of === 'relu'),
    headTensors: (name, classes) => headOf(name, classes).tensors,
    stageChannels: stages.map((part) => part.channels),
    forward: (input, scope) => resume(0, input, scope),
    resume: (stage, value, scope) => resume(stage + 1, value, scope),
    // The number of classes decides tensors' shapes, not the arithmetic.
    classify: (x, scope, name) => headOf(name, 1).forward(x, withoutNorms(scope)),
  };
}

/** The layer that owns a tensor: its name without `.weight` and the like; a tensor without such a part is its own. */
const ownerOf = (name: string): string => name.replace(/\.(weight|bias|running_mean|running_var)$/, '');

function known(out: Width): number {
  if (out === 'classes') throw new Error('Only a head has layers as wide as there are classes.');
  return out;
}

const withoutNorms = ({ tensor }: Pick<Scope, 'tensor'>): Scope => ({
  tensor,
  batchNorm() {
    throw new Error('A head has no batch norm.');
  },
});

/** Some of a network's layers by themselves, given an image or tokens of so many channels. */
export const buildLayers = (layers: readonly Layer[], channels: number, padding: Padding): Built =>
  sequence(layers, {
    prefix: '',
    channels,
    padding,
    width: known,
    build: sequence,
    onBlock() {},
    onMask() {},
    onAttention() {},
  });

type Classifier = Extract<Layer, { out: Width }>;

function classifierOf(head: Layer[]): Classifier {
  const [layer] = head.filter((one): one is Classifier => 'out' in one && one.out === 'classes');
  if (!layer) throw new Error('No layer of the head is as wide as there are classes.');
  return layer;
}

/** Layers one after another. A batch norm is told a value near the mean of what the layer before it made. */
function sequence(layers: readonly Layer[], site: Site): Built {
  const parts: Built[] = [];
  let { channels } = site;
  for (const layer of layers) {
    const build = layerKinds[layer.op] as (layer: Layer, site: Site) => Built;
    const part = build(layer, { ...site, channels });
    parts.push(part);
    channels = part.channels;
  }
  return {
    tensors: parts.flatMap(({ tensors }) => tensors),
    channels,
    forward(x, scope) {
      let y = x;
      let near: (() => tf.Tensor1D) | undefined;
      for (const part of parts) {
        const before = y;
        y = part.forward(before, scope, near);
        near = part.near && (() => part.near!(before, scope));
      }
      return y;
    },
  };
}

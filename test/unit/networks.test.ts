import { expect, test } from 'vitest';
import { sourceHead } from '../../src-main/backbones/backbone.ts';
import { createBackbone, torchvisionNaming } from '../../src-main/backbones/index.ts';
import { architecturesIn, openNetwork, readNetwork } from '../../src-main/backbones/network-file.ts';
import { architectureNamed, architectureNames } from '../../src-main/backbones/registry.ts';
import type { TensorSource } from '../../src-main/formats/weights/tensor-source.ts';
import { libraryNames, namesOf } from '../fixtures/library-names.ts';

const described = (architecture: string, width = 1) => {
  const backbone = createBackbone({ architecture, padding: 'symmetric', width });
  return [...backbone.tensors, ...sourceHead(backbone, 1000)];
};
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** As torchvision counts them (`num_params` of its weights); timm for the smaller transformers. */
test.each([
  ['resnet152', 60_192_808],
  ['resnext50_32x4d', 25_028_904],
  ['wide_resnet50_2', 68_883_240],
  ['densenet121', 7_978_856],
  ['densenet169', 14_149_480],
  ['densenet201', 20_013_928],
  ['vgg11', 132_863_336],
  ['vgg11_bn', 132_868_840],
  ['vgg13', 133_047_848],
  ['vgg16', 138_357_544],
  ['vgg16_bn', 138_365_992],
  ['vgg19', 143_667_240],
  ['alexnet', 61_100_840],
  ['squeezenet1_1', 1_235_496],
  ['mobilenet_v3_small', 2_542_856],
  ['mobilenet_v3_large', 5_483_032],
  ['efficientnet_b0', 5_288_548],
  ['efficientnet_b1', 7_794_184],
  ['efficientnet_b2', 9_109_994],
  ['efficientnet_b3', 12_233_232],
  ['convnext_tiny', 28_589_128],
  ['convnext_small', 50_223_688],
  ['vit_ti_16', 5_717_416],
  ['vit_s_16', 22_050_664],
  ['vit_b_16', 86_567_656],
])('%s has %d parameters', (architecture, parameters) => {
  const trained = described(architecture).filter(({ kind }) => kind !== 'running');
  expect(trained.reduce((sum, { shape }) => sum + size(shape), 0)).toBe(parameters);
});

/** A file of such tensors; every number of a tensor is its index in it. */
function sourceOf(shapes: ReadonlyMap<string, readonly number[]>): TensorSource {
  return {
    name: 'a file',
    metadata: {},
    notes: [],
    tensors: new Map([...shapes].map(([name, shape]) => [name, { shape, dtype: 'F32' }])),
    read: (name) => Float32Array.from({ length: size(shapes.get(name)!) }, (_, index) => index),
  };
}

/** A network's tensors under the names of its mapping table number `table`, in shapes that `shaped` changes. */
function renamed(architecture: string, table: number, shaped = (_: string, shape: number[]) => shape) {
  const back = new Map(
    [...architectureNamed(architecture).dialects!()[table].names].map(([theirs, ours]) => [ours, theirs]),
  );
  const entries = described(architecture).map(({ name, shape }): [string, number[]] => {
    const dot = name.lastIndexOf('.');
    const layer = back.get(name.slice(0, dot));
    const other = back.get(name) ?? (layer ? `${layer}${name.slice(dot)}` : name);
    return [other, shaped(other, shape)];
  });
  return sourceOf(new Map(entries));
}

test.each([
  ['mobilenet_v3_small', 0, 'blocks.1.0.conv_pwl.weight'],
  ['mobilenet_v3_large', 0, 'blocks.3.0.conv_dw.weight'],
  ['efficientnet_b0', 0, 'blocks.0.0.se.conv_reduce.bias'],
  ['efficientnet_b3', 0, 'conv_head.weight'],
  ['convnext_tiny', 0, 'stages.2.blocks.8.gamma'],
  ['efficientnet_b1', 1, 'efficientnet.encoder.blocks.22.squeeze_excite.expand.bias'],
  ['efficientnet_b0', 2, '_blocks.15._project_conv.weight'],
  ['mobilenet_v2', 1, 'mobilenet_v2.layer.15.reduce_1x1.normalization.running_var'],
  ['convnext_small', 1, 'convnext.encoder.stages.3.layers.0.pwconv2.bias'],
  ['convnext_tiny', 3, 'downsample_layers.3.1.weight'],
  ['vit_s_16', 0, 'blocks.11.attn.qkv.weight'],
  ['resnet50', 0, 'resnet.encoder.stages.0.layers.0.shortcut.convolution.weight'],
  ['densenet121', 0, 'features.denseblock1.denselayer1.norm.1.weight'],
  ['vgg11_bn', 0, 'pre_logits.fc1.weight'],
])('%s is recognized under the names of another library, such as %s: %s', (architecture, table, one) => {
  const source = renamed(architecture, table, (name, shape) => {
    // timm keeps MobileNetV3's and VGG's hidden layers as convolutions, and ConvNeXt's factors as vectors.
    if (name === 'conv_head.weight' && shape.length === 2) return [...shape, 1, 1];
    if (name === 'pre_logits.fc1.weight') return [4096, 512, 7, 7];
    return name.endsWith('.gamma') ? [shape[0]] : shape;
  });
  expect(source.tensors.has(one)).toBe(true);
  expect(architecturesIn(source, architectureNames())).toEqual([architecture]);
});

test.each(
  Object.entries(libraryNames).flatMap(([library, networks]) =>
    Object.entries(networks).map(([architecture, patterns]) => [library, architecture, patterns] as const),
  ),
)('%s’ %s has a tensor for each of the network’s, and no others', (_, architecture, patterns) => {
  const nameOf = torchvisionNaming(architecture);
  const theirs = namesOf(patterns).filter((name) => !name.endsWith('.num_batches_tracked'));
  const parts = architectureNamed(architecture).packed?.({ width: 1 });
  const isPacked = theirs.some((name) => name.includes('.query.'));
  const ours = described(architecture).flatMap(({ name }) => (isPacked && parts?.get(name)) || [name]);
  expect(theirs.map(nameOf).sort()).toEqual(ours.sort());
});

test('transformers’ query, key and value become the packed projection, in this order', () => {
  const apart = new Map<string, readonly number[]>();
  for (const [name, { shape }] of renamed('vit_ti_16', 2).tensors) {
    const packed = /encoder_layer_(\d+)\.self_attention\.in_proj_(weight|bias)$/.exec(name);
    if (!packed) apart.set(name, shape);
    else
      for (const part of ['query', 'key', 'value'])
        apart.set(`vit.encoder.layer.${packed[1]}.attention.attention.${part}.${packed[2]}`, [
          192,
          ...shape.slice(1),
        ]);
  }
  const file = openNetwork(sourceOf(apart), 'vit_ti_16', 'symmetric');
  const name = 'encoder.layers.encoder_layer_3.self_attention.in_proj_bias';
  const read = readNetwork(
    file,
    file.tensors.filter((tensor) => tensor.name === name),
  );
  expect([...read[name]].map((value, index) => value - (index % 192))).toEqual(new Array(576).fill(0));
});

test('a transformer’s positions for another input size are read off its file', () => {
  const shapes = new Map(described('vit_ti_16').map(({ name, shape }) => [name, shape]));
  shapes.set('encoder.pos_embedding', [1, 1 + 24 ** 2, 192]);
  const { backbone } = openNetwork(sourceOf(shapes), 'vit_ti_16', 'symmetric');
  const positions = backbone.tensors.find(({ name }) => name === 'encoder.pos_embedding');
  expect(positions!.shape).toEqual([1, 577, 192]);
});

test('an unknown architecture is answered with the nearest', () => {
  expect(() => architectureNamed('efficientnet_b9')).toThrow(/Did you mean "efficientnet_b\d"/);
});

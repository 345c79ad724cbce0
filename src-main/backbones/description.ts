/**
 * What a network is, as data: layers in their order, from which tensors, forward pass, taps and blocks follow (build.ts).
 * Channels flow from layer to layer, so that a layer states only what it makes. Names are torchvision's, inside a block
 * without the block's own.
 */

export type ActivationName =
  | 'relu'
  | 'relu6'
  | 'silu'
  | 'gelu'
  | 'hardSwish'
  | 'hardSigmoid'
  | 'sigmoid'
  | 'tanh';

/** Where a head's layer gets its width from. */
export type Width = number | 'classes';

export type Layer =
  /** A convolution with symmetric padding that keeps the side, where `pad` says nothing else. */
  | {
      op: 'convolution';
      name: string;
      out: Width;
      kernel: number;
      stride: number;
      /** Groups of channels that do not see each other; `each`: every channel by itself. */
      groups: number | 'each';
      bias: boolean;
      pad?: number;
    }
  | { op: 'batchNorm'; name: string }
  /** Over the channels of every place, or token. */
  | { op: 'layerNorm'; name: string; epsilon: number }
  | { op: 'activation'; of: ActivationName }
  /** `ceil`: a last window that is only partly inside counts too, as PyTorch's ceil_mode. */
  | { op: 'maxPool'; kernel: number; stride: number; pad: number; ceil: boolean }
  | { op: 'averagePool'; kernel: number }
  /** Means over so many by so many parts of the image, whatever its side. */
  | { op: 'adaptivePool'; side: number }
  /** Mean over all places: an image becomes a vector. */
  | { op: 'globalPool' }
  /** An image of `side` by `side` becomes a vector, in PyTorch's order of channels, rows, columns. */
  | { op: 'flatten'; side: number }
  | {
      op: 'linear';
      name: string;
      out: Width;
      /** Side of the image that was flattened into its input. */
      side?: number;
      /** Where weights keep it as a 1×1 convolution. */
      as?: 'convolution';
    }
  /** A factor for every channel. */
  | { op: 'scale'; name: string; shape: 'vector' | 'image' }
  /** `of`: an image's features at all of its places alike, or every value by itself, as of a text. */
  | { op: 'dropout'; name: string; rate: number; of: 'element' | 'value' }
  /** Leaves a whole branch out, for each image by itself. Huang et al., «Deep Networks with Stochastic Depth», ECCV 2016. */
  | { op: 'stochasticDepth'; name: string; rate: number }
  /** What the branches make of the same input, added; an empty one is the input itself. */
  | { op: 'sum'; branches: Layer[][] }
  /** The same, beside each other as channels. */
  | { op: 'concatenation'; branches: Layer[][] }
  /** The input times what the layers make of it: squeeze and excitation. */
  | { op: 'gate'; layers: Layer[] }
  /** An image becomes tokens with a class token in front, all with learned positions of a `grid` by `grid` image. */
  | { op: 'tokens'; classToken: string; positions: string; grid: number }
  /** The class token alone. */
  | { op: 'classToken' }
  /** Learned vectors of a text's pieces, added to those of their positions and, where there are any, of their segments. */
  | {
      op: 'pieces';
      name: string;
      vocabulary: number;
      positions: number;
      /** Kinds of segments: a first and a second sentence; 0 where the network tells none. */
      segments: number;
      out: number;
    }
  | {
      op: 'attention';
      name: string;
      heads: number;
      /** What query, key and value, and what is made of them, are called where weights keep them apart. */
      apart?: { projections: readonly string[]; out: string };
      /** Share of the weights that is dropped while training. */
      rate?: number;
    }
  /** A score for every piece of the vocabulary, by its own vector and a bias. */
  | { op: 'pieceScores'; name: string; pieces: string; out: Width }
  /** A residual bottleneck of so many channels, or of so many times fewer. */
  | { op: 'adapter'; name: string; width: number | { reduction: number }; of: 'image' | 'tokens' }
  /** Layers that belong together, with a common front part of their names: what is frozen, adapted or looked at. */
  | { op: 'block'; name: string; layers: Layer[] };

export interface Description {
  /** Batch norm as trained: ε is the weights', momentum PyTorch's (the share of the new in running statistics). */
  batchNorm: { epsilon: number; momentum: number };
  /** The stem, then four stages. */
  stages: Layer[][];
  /** From the last stage to the features that a head reads; hidden layers of a pre-trained head of several belong here. */
  neck: Layer[];
  /** From features to a score for each class. One of its layers is `classes` wide. */
  head: Layer[];
  /** The same for new classes, where it has another form than what was pre-trained. */
  newHead?: Layer[];
}

interface ConvolutionOptions {
  kernel?: number;
  stride?: number;
  groups?: number | 'each';
  bias?: boolean;
  pad?: number;
}

export const convolution = (
  name: string,
  out: Width,
  { kernel = 1, stride = 1, groups = 1, bias = false, pad }: ConvolutionOptions = {},
): Layer => ({ op: 'convolution', name, out, kernel, stride, groups, bias, pad });

export const batchNorm = (name: string): Layer => ({ op: 'batchNorm', name });
export const layerNorm = (name: string, epsilon: number): Layer => ({ op: 'layerNorm', name, epsilon });
export const activation = (of: ActivationName): Layer => ({ op: 'activation', of });
export const maxPool = (kernel: number, stride: number, pad = 0, ceil = false): Layer => ({
  op: 'maxPool',
  kernel,
  stride,
  pad,
  ceil,
});
export const averagePool = (kernel: number): Layer => ({ op: 'averagePool', kernel });
export const adaptivePool = (side: number): Layer => ({ op: 'adaptivePool', side });
export const globalPool = (): Layer => ({ op: 'globalPool' });
export const flatten = (side: number): Layer => ({ op: 'flatten', side });
export const linear = (name: string, out: Width, side?: number): Layer => ({ op: 'linear', name, out, side });
/** A linear layer that weights keep as a 1×1 convolution. */
export const pointwise = (name: string, out: number): Layer => ({
  op: 'linear',
  name,
  out,
  as: 'convolution',
});
export const scale = (name: string, shape: 'vector' | 'image'): Layer => ({ op: 'scale', name, shape });
export const dropout = (name: string, rate: number, of: 'element' | 'value' = 'element'): Layer => ({
  op: 'dropout',
  name,
  rate,
  of,
});
export const stochasticDepth = (name: string, rate: number): Layer => ({ op: 'stochasticDepth', name, rate });
export const sum = (...branches: Layer[][]): Layer => ({ op: 'sum', branches });
export const concatenation = (...branches: Layer[][]): Layer => ({ op: 'concatenation', branches });
export const gate = (...layers: Layer[]): Layer => ({ op: 'gate', layers });
export const attention = (
  name: string,
  heads: number,
  more: Pick<Extract<Layer, { op: 'attention' }>, 'apart' | 'rate'> = {},
): Layer => ({ op: 'attention', name, heads, ...more });
export const block = (name: string, ...layers: Layer[]): Layer => ({ op: 'block', name, layers });

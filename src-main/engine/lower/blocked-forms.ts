/**
 * Forms of values in the blocked layout that need not be made: a later kernel may take them in. Making
 * x·scale + bias + sum, with an activation, is one pass of a depthwise 1×1 convolution.
 */
import { sizeOf, type Value } from '../trace/ir.ts';
import type { Lowering } from './lowering.ts';
import { type Attributes, type Name, nchwcDomain, onnxTypes } from './onnx-graph.ts';
import { again } from './recompute.ts';

/** x·scale + bias + sum, with one scale and bias per channel, or per image and channel. */
interface Affine {
  kind: 'affine';
  x: Name;
  scale?: Name;
  bias?: Name;
  sum?: Name;
  /** Whether scale or bias is a matrix [batch, padded channels]; vectors of padded length go along with it. */
  perImage?: boolean;
}

/** One value for all pixels of an image's channel: a matrix [batch, padded channels]. */
interface Spread {
  kind: 'spread';
  values: Name;
}

/** The element-by-element product of two values. */
interface Product {
  kind: 'product';
  a: Value;
  b: Value;
}

/** 1 where all conditions hold, else 0: a value over 0, a value under a limit. */
interface Mask {
  kind: 'mask';
  positive?: Value;
  under?: { value: Value; limit: number };
}

/** A convolution, with what it takes in: a bias per channel (a vector of padded length), then another image. */
interface Convolved {
  kind: 'convolved';
  /** Image and filter. */
  inputs: () => Name[];
  attributes: Attributes;
  bias?: Name;
  sum?: Name;
}

type Form = Affine | Spread | Product | Mask | Convolved;

const formsByGraph = new WeakMap<Lowering, BlockedForms>();

/** The forms of one graph's values. */
export function formsOf(lowering: Lowering): BlockedForms {
  const forms = formsByGraph.get(lowering) ?? new BlockedForms(lowering);
  formsByGraph.set(lowering, forms);
  return forms;
}

/** What is known about blocked values of one graph beyond their names. */
class BlockedForms {
  readonly #lowering: Lowering;
  readonly #forms = new Map<Value, Form>();
  /** Activated values by what they are the activation of: gradients may look at these instead. */
  readonly activated = new Map<Value, Value>();

  constructor(lowering: Lowering) {
    this.#lowering = lowering;
  }

  /** The form of a value that was not made yet. */
  get(value: Value): Form | undefined {
    return this.#forms.get(value);
  }

  /** `value` as an affine form: its own, or itself. */
  affine(value: Value): Affine {
    const form = this.#forms.get(value);
    return form?.kind === 'affine' ? form : { kind: 'affine', x: this.#lowering.use(value, 'blocked') };
  }

  /**
   * The gradient that a convolution's output got, without its factor per channel [channels] where multiplying the filter
   * with that, or the filter's gradient, is less work than multiplying the image.
   */
  outputGradient(dy: Value, filter: readonly number[]): { name: Name; factor?: Name } {
    const lowering = this.#lowering;
    const form = this.#forms.get(dy);
    const onFilters = lowering.usesOf(dy) * sizeOf(filter) < sizeOf(dy.shape);
    if (!onFilters || form?.kind !== 'affine' || form.perImage || !form.scale || form.bias || form.sum)
      return { name: lowering.use(dy, 'blocked') };
    const channels = dy.shape[3];
    const whole = lowering.padded(channels) === channels;
    return { name: form.x, factor: whole ? form.scale : lowering.slice(form.scale, [0], [0], [channels]) };
  }

  /** The mask of both masks' conditions, where one is that a ReLU's result is over 0 and the other its limit. */
  joined(a: Value, b: Value): Mask | undefined {
    const [left, right] = [this.#forms.get(a), this.#forms.get(b)];
    if (left?.kind !== 'mask' || right?.kind !== 'mask') return undefined;
    const positive = left.positive ?? right.positive;
    const under = left.under ?? right.under;
    const activated = positive?.kind === 'result' && positive.node.kernel.startsWith('Relu');
    return activated && positive === under?.value ? { kind: 'mask', positive, under } : undefined;
  }

  /** Gives `value` a form; it is made when something uses it as a tensor. */
  define(value: Value, form: Form): void {
    this.#forms.set(value, form);
    this.#lowering.defer(value, 'blocked', () => {
      this.#forms.delete(value);
      return this.#make(form, value);
    });
  }

  /** A convolution that was not made yet and that nothing but one kernel takes. */
  openConvolution(value: Value): Convolved | undefined {
    const form = this.#forms.get(value);
    return form?.kind === 'convolved' && this.#lowering.usesOf(value) === 1 ? form : undefined;
  }

  /** Makes a form at once, with an activation. */
  activate(input: Value, output: Value, activation: Attributes): void {
    const convolved = this.openConvolution(input);
    const name = convolved
      ? this.#convolve(convolved, output, activation)
      : this.#makeAffine(this.affine(input), output, activation);
    this.#lowering.define(output, name, 'blocked');
    this.activated.set(input, output);
  }

  /** A value of one element per channel, or of one element, as a vector of padded length; undefined for others. */
  channelVector(value: Value, channels: number): Name | undefined {
    const lowering = this.#lowering;
    const size = sizeOf(value.shape);
    const padded = lowering.padded(channels);
    if (size === 1 && channels > 1)
      return lowering.op('Expand', [
        lowering.reshape(lowering.use(value), [1]),
        lowering.graph.ints([padded]),
      ]);
    if (size !== channels || value.shape.at(-1) !== channels) return undefined;
    const name = lowering.use(value);
    const vector = value.shape.length === 1 ? name : lowering.reshape(name, [channels]);
    return lowering.pad(vector, [[0, padded - channels]]);
  }

  /** A value of one element per image, or per image and channel, as a matrix [batch, padded channels]; undefined for others. */
  imageMatrix(value: Value, [batch, , , channels]: readonly number[]): Name | undefined {
    const lowering = this.#lowering;
    const [images, height, width, columns] = value.shape;
    if (value.shape.length !== 4 || images !== batch || height * width !== 1) return undefined;
    const padded = lowering.padded(channels);
    const matrix = lowering.reshape(lowering.use(value), [batch, columns]);
    if (columns === 1) return lowering.op('Expand', [matrix, lowering.graph.ints([batch, padded])]);
    return columns === channels
      ? lowering.pad(matrix, [
          [0, 0],
          [0, padded - channels],
        ])
      : undefined;
  }

  /** What an image is to be multiplied with or added to along its pixels, other than another image; undefined for others. */
  alongPixels(value: Value, shape: readonly number[]): { name: Name; perImage: boolean } | undefined {
    const vector = this.channelVector(value, shape[3]);
    if (vector) return { name: vector, perImage: false };
    const form = this.#forms.get(value);
    const matrix = form?.kind === 'spread' ? form.values : this.imageMatrix(value, shape);
    return matrix ? { name: matrix, perImage: true } : undefined;
  }

  #make(form: Form, value: Value): Name {
    const { graph } = this.#lowering;
    if (form.kind === 'affine') return this.#makeAffine(form, value, {});
    if (form.kind === 'spread') return this.#makeSpread(form, value);
    if (form.kind === 'mask') return this.#makeMask(form, value);
    if (form.kind === 'convolved') return this.#convolve(form, value, {});
    const factors = [form.a, form.b].map((factor) => this.#lowering.use(factor, 'blocked'));
    return graph.op('Mul', factors);
  }

  #convolve({ inputs, attributes, bias, sum }: Convolved, made: Value, activation: Attributes): Name {
    const taken = [...inputs(), bias ?? '', sum ?? ''];
    while (taken.at(-1) === '') taken.pop();
    const name = this.#lowering.op('Conv', taken, { ...attributes, ...activation }, nchwcDomain);
    if (sum) mayReplace(sum, name, made, this.#lowering);
    return name;
  }

  #makeMask(mask: Mask, value: Value): Name {
    const numbers = makeMask(mask, value, this.#lowering);
    return value.dtype === 'bool' ? this.#lowering.op('Cast', [numbers], { to: onnxTypes.bool }) : numbers;
  }

  #makeSpread({ values }: Spread, { shape }: Value): Name {
    const lowering = this.#lowering;
    const { block } = lowering.target;
    const [batch, height, width, channels] = shape;
    const blocks = lowering.padded(channels) / block;
    const pixel = lowering.reshape(values, [batch, blocks, 1, block]);
    const pixels = lowering.op('Expand', [
      pixel,
      lowering.graph.ints([batch, blocks, height * width, block]),
    ]);
    return lowering.reshape(pixels, lowering.shapeIn({ shape }, 'blocked'));
  }

  #makeAffine({ x, scale, bias, sum, perImage }: Affine, value: Value, activation: Attributes): Name {
    const { graph } = this.#lowering;
    // An attribute that changes nothing, or another order, keeps what is made again apart from what it repeats.
    const isRepeated = value.kind === 'result' && value.node.attrs[again];
    if (!scale && !bias) {
      const add = (image: Name) => graph.op('Add', isRepeated ? [image, x] : [x, image]);
      const total = sum ? add(sum) : x;
      return activation.activation ? applyActivation(total, activation, this.#lowering) : total;
    }
    const channels = this.#lowering.padded(value.shape[3]);
    const factor = scale ?? graph.filled([channels], 1, 'float32');
    const attributes = isRepeated ? { ...activation, strides: [1, 1] } : activation;
    const map = perImage ? perImageAndChannel : perChannel;
    return map({ x, factor, bias, sum }, value, attributes, this.#lowering);
  }
}

function applyActivation(x: Name, activation: Attributes, { graph }: Lowering): Name {
  if (activation.activation === 'Relu') return graph.op('Relu', [x]);
  const [least, most] = (activation.activation_params as { floats: number[] }).floats;
  return graph.op('Clip', [x, graph.scalar(least), graph.scalar(most)]);
}

interface Operands {
  x: Name;
  factor: Name;
  bias?: Name;
  sum?: Name;
}

/** x·factor + bias + sum with an activation, in one pass. */
function perChannel(
  { x, factor, bias, sum }: Operands,
  value: Value,
  activation: Attributes,
  lowering: Lowering,
): Name {
  const channels = lowering.padded(value.shape[3]);
  const inputs = [x, lowering.reshape(factor, [channels, 1, 1, 1]), bias ?? '', sum ?? ''];
  while (inputs.at(-1) === '') inputs.pop();
  const attributes = { kernel_shape: [1, 1], group: channels, ...activation };
  const name = lowering.op('Conv', inputs, attributes, nchwcDomain);
  if (sum) mayReplace(sum, name, value, lowering);
  return name;
}

/** Says that a convolution's result and the image that it adds are of one shape: it is then written over that where nothing else needs it. */
function mayReplace(sum: Name, made: Name, value: Value, lowering: Lowering): void {
  lowering.graph.declare([sum, made], lowering.shapeIn(value, 'blocked'));
}

/** The same where factor or bias is a matrix [batch, padded channels]: the channels of all images are those of one. */
function perImageAndChannel(
  { x, factor, bias, sum }: Operands,
  value: Value,
  activation: Attributes,
  lowering: Lowering,
): Name {
  const { graph } = lowering;
  const [batch, height, width] = value.shape;
  const channels = lowering.padded(value.shape[3]);
  const planes = batch * channels;
  const whole = graph.ints([batch, channels]);
  const along = (name: Name, shape: number[]) =>
    lowering.reshape(lowering.op('Expand', [name, whole]), shape);
  const joined = [1, planes, height, width];
  const flat: Value = { ...value, shape: [1, height, width, planes] };
  const image = perChannel(
    {
      x: lowering.reshape(x, joined),
      factor: along(factor, [planes]),
      bias: bias && along(bias, [planes]),
      sum: sum && lowering.reshape(sum, joined),
    },
    flat,
    activation,
    lowering,
  );
  return lowering.reshape(image, lowering.shapeIn(value, 'blocked'));
}

const clip = (least: number, most: number): Attributes => ({
  activation: 'Clip',
  activation_params: { floats: [least, most] },
});

/** Lifts the smallest normal number over 1. */
const huge = 2 ** 127;
/** Lifts the gap between a limit of at least 1 and its lower neighbor over 1; products with it are exact. */
const steep = 2 ** 27;
/** More than `steep` times any limit of a mask. */
const deep = 2 ** 35;
/** Limits that masks may have. */
export const isMaskLimit = (limit: number): boolean => limit >= 1 && limit <= 64;

/**
 * Makes a mask of numbers in passes of a multiplication and a clip: comparing, joining and casting booleans takes several
 * times as long. Exact but for positive values under 1e-27 that have a limit as well.
 */
function makeMask({ positive, under }: Mask, mask: Value, lowering: Lowering): Name {
  const { graph } = lowering;
  const channels = lowering.padded(mask.shape[3]);
  const all = (value: number) => graph.filled([channels], value, 'float32');
  const pass = (value: Value, slope: number, offset: number, range: Attributes, sum?: Name) =>
    perChannel(
      {
        x: lowering.use(value, 'blocked'),
        factor: all(slope),
        bias: offset === 0 ? undefined : all(offset),
        sum,
      },
      mask,
      range,
      lowering,
    );
  if (!under) return pass(positive!, huge, 0, clip(0, 1));
  // −deep where the value is not positive, else 0.
  const held = positive && pass(positive, huge, -deep, clip(-deep, 0));
  return pass(under.value, -steep, steep * under.limit, clip(0, 1), held);
}

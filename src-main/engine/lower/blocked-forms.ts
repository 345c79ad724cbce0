/**
 * Forms of values in the blocked layout that need not be made: a later kernel may take them in. Making
 * x·scale + bias + sum, with an activation, is one pass of a depthwise 1×1 convolution.
 */
import { sizeOf, type Value } from '../trace/ir.ts';
import { type Lowering, nchwcDomain } from './lowering.ts';
import type { Attributes, Name } from './onnx-graph.ts';

/** x·scale + bias + sum, with one scale and bias per channel (vectors of padded length). */
interface Affine {
  kind: 'affine';
  x: Name;
  scale?: Name;
  bias?: Name;
  sum?: Name;
}

/** The element-by-element product of two values. */
interface Product {
  kind: 'product';
  a: Value;
  b: Value;
}

/** 1 where a condition holds, else 0. */
interface Mask {
  kind: 'mask';
  condition: Name;
}

type Form = Affine | Product | Mask;

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

  /** Gives `value` a form; it is made when something uses it as a tensor. */
  define(value: Value, form: Form): void {
    this.#forms.set(value, form);
    this.#lowering.defer(value, 'blocked', () => {
      this.#forms.delete(value);
      return this.#make(form, value);
    });
  }

  /** Makes an affine form at once, with an activation. */
  activate(input: Value, output: Value, activation: Attributes): void {
    const name = this.#makeAffine(this.affine(input), output, activation);
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
    return lowering.pad(lowering.reshape(lowering.use(value), [channels]), [[0, padded - channels]]);
  }

  #make(form: Form, value: Value): Name {
    const { graph } = this.#lowering;
    if (form.kind === 'affine') return this.#makeAffine(form, value, {});
    if (form.kind === 'mask') return graph.op('Cast', [form.condition], { to: 1 });
    return graph.op('Mul', [this.#lowering.use(form.a, 'blocked'), this.#lowering.use(form.b, 'blocked')]);
  }

  #makeAffine({ x, scale, bias, sum }: Affine, value: Value, activation: Attributes): Name {
    const { graph } = this.#lowering;
    if (!scale && !bias) {
      const total = sum ? graph.op('Add', [x, sum]) : x;
      return activation.activation ? applyActivation(total, activation, this.#lowering) : total;
    }
    const channels = this.#lowering.padded(value.shape[3]);
    const weights = scale
      ? this.#lowering.reshape(scale, [channels, 1, 1, 1])
      : graph.filled([channels, 1, 1, 1], 1, 'float32');
    const inputs = [x, weights, bias ?? '', sum ?? ''];
    while (inputs.at(-1) === '') inputs.pop();
    return graph.op('Conv', inputs, { kernel_shape: [1, 1], group: channels, ...activation }, nchwcDomain);
  }
}

function applyActivation(x: Name, activation: Attributes, { graph }: Lowering): Name {
  if (activation.activation === 'Relu') return graph.op('Relu', [x]);
  const [least, most] = (activation.activation_params as { floats: number[] }).floats;
  return graph.op('Clip', [x, graph.scalar(least), graph.scalar(most)]);
}

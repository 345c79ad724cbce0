import { CotuneError } from '../../../src-shared/errors.ts';
import type { TensorSpec } from '../engine.ts';
import type { InputValue, Trace, Value } from '../trace/ir.ts';
import { attentionRules } from './attention.ts';
import { blockedRules } from './blocked.ts';
import { convolutionRules } from './convolution.ts';
import { cutUpdates } from './cut-updates.ts';
import { elementwiseRules } from './elementwise.ts';
import { stateLayouts } from './filter-state.ts';
import { type Arrangement, arrangementOf, type FilterLayout } from './filters.ts';
import { foldConstants } from './fold-constants.ts';
import { usesOf } from './forward-nodes.ts';
import { groupedConvolutionRules } from './grouped-convolution.ts';
import { halfStorageRules, storeHalves } from './half-storage.ts';
import { joinUpdates } from './join-updates.ts';
import { Lowering, type Rule, type Target } from './lowering.ts';
import { matmulRules } from './matmul.ts';
import { normalizationRules } from './normalization.ts';
import {
  type ConstantApart,
  type FedConstant,
  type NamedSpec,
  nchwcDomain,
  OnnxGraph,
  onnxTypes,
} from './onnx-graph.ts';
import { poolingRules } from './pooling.ts';
import { recomputeActivations } from './recompute.ts';
import { reductionRules } from './reduction.ts';
import { segmentSumRules } from './segment-sum.ts';
import { shapeRules } from './shape.ts';
import { transformerRules } from './transformer.ts';

/** Lowering rules by kernel name. */
export const loweringRules: Record<string, Rule> = {
  ...elementwiseRules,
  ...reductionRules,
  ...shapeRules,
  ...segmentSumRules,
  ...matmulRules,
  ...convolutionRules,
  ...groupedConvolutionRules,
  ...poolingRules,
  ...normalizationRules,
  ...transformerRules,
  ...attentionRules,
};

/** One tensor of a lowered program: its name in the program and in the graph. Its shape is that in the graph. */
export interface Port extends TensorSpec {
  name: string;
  port: string;
  /** How the program's values are arranged in the graph, where that is another order. */
  arrangement?: Arrangement;
}

/** A part of a state tensor: of which one, and from which of its elements on. */
type Part = NonNullable<InputValue['part']>;

/** An ONNX graph and how the program's tensors map to its inputs and outputs. */
export interface Lowered {
  model: Uint8Array;
  /** Large constants of the model, which are not in its bytes. */
  apart: ConstantApart[];
  /** Large constants that are inputs of the model. */
  fed: FedConstant[];
  state: Port[];
  batch: Port[];
  /** Inputs that are parts of state tensors, where these lie; they have next values of their own. */
  parts: (Port & Part)[];
  /** `inPlace`: the next value may be written over the one that it follows. */
  nextState: (Port & { inPlace: boolean })[];
  outputs: Port[];
}

/**
 * Lowers a trace to an ONNX model. Graph inputs carry the program's names; new state is `name:next`.
 *
 * @throws CotuneError naming the kernel that has no lowering rule.
 */
export function lower(traced: Trace, target: Target): Lowered {
  const trace = forMemory(traced, target);
  const lowering = new Lowering(target, usesOf(trace));
  const inputs: NamedSpec[] = [];
  const ports = { state: [] as Port[], batch: [] as Port[], parts: [] as (Port & Part)[] };
  const layouts =
    target.layout === 'blocked' ? stateLayouts(trace, target.block) : new Map<InputValue, FilterLayout>();
  const laidOut = (name: string, port: string, value: Value, layout: FilterLayout): Port => {
    const { dtype, shape } = value;
    if (dtype === 'bool')
      throw new CotuneError('failed', `«${name}» is a bool tensor; cast it to int32 or float32.`);
    const arrangement = arrangementOf(shape, layout, target.block);
    return { name, port, dtype, shape: lowering.shapeIn(value, layout), ...(arrangement && { arrangement }) };
  };
  for (const input of trace.inputs) {
    const port =
      input.role === 'batch' && trace.inputs.some((other) => other !== input && other.name === input.name)
        ? `${input.name}:batch`
        : input.name;
    const layout = layouts.get(input) ?? 'nhwc';
    const spec = laidOut(input.name, port, input, layout);
    const isCast = target.integers && input.role === 'batch';
    inputs.push({ ...spec, name: port, ...(isCast && { dtype: 'int64' as const }) });
    const fed = isCast ? lowering.op('Cast', [port], { to: onnxTypes[spec.dtype] }) : port;
    lowering.define(input, fed, layout);
    if (input.part) ports.parts.push({ ...spec, ...input.part });
    else ports[input.role].push(spec);
  }
  for (const node of trace.nodes) {
    const rule = loweringRules[node.kernel] ?? halfStorageRules[node.kernel];
    if (!rule)
      throw new CotuneError(
        'failed',
        `The engine has no lowering rule for the tf.js kernel «${node.kernel}».`,
        'Add one to the family it belongs to in engine/lower.',
      );
    if (target.layout !== 'blocked' || !blockedRules[node.kernel]?.(node, lowering)) rule(node, lowering);
  }
  const results: NamedSpec[] = [];
  const finish = (suffix: string, name: string, value: Value, layout: FilterLayout): Port => {
    const port = `${name}:${suffix}`;
    lowering.graph.export(lowering.use(value, layout), port);
    const spec = laidOut(name, port, value, layout);
    results.push({ ...spec, name: port });
    return spec;
  };
  const layoutOfState = new Map([...layouts].map(([{ name }, layout]) => [name, layout]));
  const next = [...trace.state].map(([name, value]) =>
    finish('next', name, value, layoutOfState.get(name) ?? 'nhwc'),
  );
  const outputs = [...trace.outputs, ...trace.diagnosis].map(([name, value]) =>
    finish('out', name, value, 'nhwc'),
  );
  // Only now does the graph have everything that reads the state.
  const wholes = new Map(ports.parts.map(({ name, of }) => [name, of]));
  const nextState = next.map((port) => {
    const alike = [port.name, wholes.get(port.name) ?? port.name];
    return {
      ...port,
      inPlace: target.provider === 'cpu' && lowering.graph.isReplacedBy(alike, port.port, port.shape),
    };
  });
  // State is large and stays in its memory; what an evaluation gives is small, and other runtimes are to read exported ones.
  const intoGiven = target.provider === 'cpu' && nextState.length > 0;
  const apart: ConstantApart[] = [];
  const fed: FedConstant[] = [];
  const wanted = {
    intoGiven,
    ...(intoGiven ? { state: ports.state.map(({ port }) => port) } : {}),
    unplanned: intoGiven && target.layout === 'blocked',
    // A model with open extents is for other programs: one file.
    ...(target.open ? {} : { apart }),
    ...(target.layout === 'blocked' ? { fed } : {}),
  };
  return { model: lowering.graph.toBytes(inputs, results, wanted), apart, fed, ...ports, nextState, outputs };
}

/** The trace with less to keep from the forward pass for the gradient. */
function forMemory(traced: Trace, { provider, halfStorage, layout, block }: Target): Trace {
  const inBlocks = () => (layout === 'blocked' ? stateLayouts(traced, block).keys() : []);
  const trace = provider === 'cpu' ? joinUpdates(cutUpdates(traced, inBlocks)) : traced;
  if (halfStorage) return storeHalves(trace);
  return layout === 'blocked' ? recomputeActivations(foldConstants(trace)) : trace;
}

/** A graph that hands tensors on unchanged: how values move between host memory and a device. */
export function lowerCopy(ports: readonly Port[]): { model: Uint8Array; inputs: Port[]; outputs: Port[] } {
  const graph = new OnnxGraph();
  const inputs = ports.map((port) => ({ ...port, port: port.name }));
  const outputs = ports.map((port) => ({ ...port, port: `${port.name}:copy` }));
  for (const [index, output] of outputs.entries()) graph.named(output.port, 'Identity', [inputs[index].port]);
  const specs = (ends: Port[]) => ends.map(({ port, shape, dtype }) => ({ name: port, shape, dtype }));
  return { model: graph.toBytes(specs(inputs), specs(outputs)), inputs, outputs };
}

/** A graph that brings one [1, 32, 1, 2] picture into the blocked layout, whose block size shows in the order. */
export function lowerBlockProbe(): Lowered {
  const graph = new OnnxGraph();
  const shape = [1, 32, 1, 2];
  graph.named('blocked', 'ReorderInput', ['rows'], {}, nchwcDomain);
  const [input, output] = ['rows', 'blocked'].map((name) => ({
    name,
    port: name,
    shape,
    dtype: 'float32' as const,
  }));
  return {
    model: graph.toBytes([input], [output]),
    apart: [],
    fed: [],
    state: [],
    parts: [],
    batch: [input],
    nextState: [],
    outputs: [output],
  };
}

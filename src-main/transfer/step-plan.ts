import type { TensorDescription } from '../backbones/backbone.ts';
import type { Specs, TensorSpec, Tensors } from '../engine/engine.ts';
import {
  evaluationTensors,
  type Network,
  sourceHeadTensors,
  specsOf,
  targetHead,
  targetHeadTensors,
} from './network.ts';
import { type ChosenOptimizer, slotName } from './optimizer.ts';
import { ownTensors } from './own-tensors.ts';
import { type BatchShape, imageInput, type StepInput } from './step-input.ts';
import type { Teacher } from './teacher.ts';
import { type ChosenTerm, ownName } from './term.ts';

/** Stages 0 (the stem) to `stage` run before training; a step is fed what they make. */
export interface FrozenPrefix {
  stage: number;
  /** Of that, for one image: [height, width, channels], or [tokens, channels]. */
  shape: readonly number[];
}

export interface TrainingOptions extends BatchShape {
  /** What is added to plain fine-tuning. */
  terms?: readonly ChosenTerm[];
  optimizer: ChosenOptimizer;
  /** Factor on the learning rate of the target head. */
  headLearningRateMultiplier: number;
  /** The network of another run, where a term learns from one. */
  teacher?: Teacher | null;
  /** What the step is fed of a batch; images where it is left out. */
  input?: StepInput;
  /** What has been made of the images already, in place of which the step is fed them. */
  prefix?: FrozenPrefix | null;
}

/** Which tensors a training step holds and what becomes of each. */
export interface StepPlan {
  /** Names of the tensors that the optimizer moves. */
  trained: string[];
  /** Names of those whose values at the beginning the step keeps beside them. */
  anchored: string[];
  withSourceHead: boolean;
  state: Specs;
  batch: Specs;
  isHead(name: string): boolean;
  /** Whether the optimizer's weight decay applies to a tensor. */
  decays(name: string): boolean;
  /** Whether a layer, or what a tensor or mask belongs to, stays as it is. */
  isFrozen(name: string): boolean;
  /** Whether batch norm keeps and uses the running statistics. */
  frozenStatistics: boolean;
  /** Names of the tensors whose averages over the steps are kept. */
  averaged: string[];
}

/** State name of the value that training of a tensor began with. */
export const anchorName = (tensor: string): string => `anchor/${tensor}`;

/** State name of a tensor's average over the steps so far. */
export const averageName = (tensor: string): string => `average/${tensor}`;

/** State name of a teacher's tensor. */
export const teacherName = (tensor: string): string => `teacher/${tensor}`;

/** Tensors that a training run holds: the backbone, the target head and, where it is used, the source head. */
export function networkTensors(network: Network, withSourceHead: boolean): TensorDescription[] {
  const source = withSourceHead ? sourceHeadTensors(network) : [];
  return [...network.backbone.tensors, ...source, ...targetHeadTensors(network)];
}

/** Whether a step has the source head. */
export const needsSourceHead = (terms: readonly ChosenTerm[] = []): boolean =>
  terms.some(({ term }) => term.needs?.includes('source-head'));

export function planStep(network: Network, options: TrainingOptions): StepPlan {
  const {
    terms = [],
    optimizer: { optimizer },
    batch,
    size,
    teacher,
    prefix,
    input = imageInput,
  } = options;
  const withSourceHead = needsSourceHead(terms);
  const frozenStatistics = terms.some(({ term, options: own }) => term.frozenStatistics?.(own));
  const isFrozen = (name: string) =>
    terms.some(({ term, options: own }) => term.freezes?.(name, network, own));
  const isHead = (name: string) => name.startsWith(`${targetHead}.`);
  const tensors = [...networkTensors(network, withSourceHead), ...ownTensors(network, terms)];
  const weights = specsOf(tensors);
  const isTrained = (tensor: TensorDescription) =>
    tensor.kind !== 'running' &&
    !isFrozen(tensor.name) &&
    terms.every(({ term, options: own }) => term.trains?.(tensor, network, own) ?? true);
  const trained = tensors.filter(isTrained).map(({ name }) => name);
  const learnsStatistics = ({ name, kind }: TensorDescription) =>
    kind === 'running' && !frozenStatistics && !isFrozen(name);
  const isRecalled = terms.some((one) => recalls(one, network));
  const keepsStart = isRecalled || terms.some(({ term }) => term.anchored);
  const anchored = tensors
    .filter((one) => (isTrained(one) ? keepsStart && !isHead(one.name) : isRecalled && learnsStatistics(one)))
    .map(({ name }) => name);
  const averaged = terms.some(({ term }) => term.average)
    ? tensors.filter((one) => isTrained(one) || learnsStatistics(one)).map(({ name }) => name)
    : [];
  const specs = input.specs({ batch, size }, network, withSourceHead);
  const taken = prefix ? { shape: [batch, ...prefix.shape], dtype: 'float32' as const } : specs[input.takes];
  const kinds = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const scalar = { shape: [], dtype: 'float32' as const };
  return {
    trained,
    anchored,
    withSourceHead,
    isHead,
    decays: (name) => input.decays(kinds.get(name)!),
    isFrozen,
    frozenStatistics,
    averaged,
    state: {
      ...weights,
      ...Object.fromEntries(
        trained.flatMap((name) =>
          optimizer.slots.map((slot): Named => [slotName(slot, name), weights[name]]),
        ),
      ),
      ...Object.fromEntries(anchored.map((name) => [anchorName(name), weights[name]])),
      ...Object.fromEntries(averaged.map((name) => [averageName(name), weights[name]])),
      ...Object.fromEntries(terms.flatMap((one) => renamed(one, one.term.state?.(network, one.options)))),
      ...(teacher ? prefixed(specsOf(evaluationTensors(teacher.network, teacher.head)), teacherName) : {}),
    },
    batch: {
      ...specs,
      [input.takes]: taken,
      learning_rate: scalar,
      ...(terms.some(({ term }) => term.secondView) ? { second_images: taken } : {}),
      ...(optimizer.countsSteps ? { step: scalar } : {}),
      ...Object.fromEntries(
        terms.flatMap((one) => renamed(one, one.term.feeds?.specs({ batch, size }, network, one.options))),
      ),
    },
  };
}

/** Whether a term is shown what the pre-trained network makes of a batch. */
const recalls = ({ term, options }: ChosenTerm, network: Network): boolean =>
  Boolean(term.recallsLogits) || (term.watches?.(network, options).length ?? 0) > 0;

type Named = [string, TensorSpec];

/** What a term declares, under the names that it has in the program. */
const renamed = (one: ChosenTerm, specs: Specs = {}): Named[] =>
  Object.entries(specs).map(([name, spec]) => [ownName(one, name), spec]);

const prefixed = (specs: Specs, nameOf: (name: string) => string): Specs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [nameOf(name), spec]));

/** A term's tensors under its own names. */
export const own = (one: ChosenTerm, names: Iterable<string>, tensors: Tensors): Tensors =>
  Object.fromEntries(Array.from(names, (name) => [name, tensors[ownName(one, name)]]));

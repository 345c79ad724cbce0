import type * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import type { Arrays, Engine, Program, Tensors } from '../engine/engine.ts';
import { type Network, specsOf } from './network.ts';
import type { ChosenTerm } from './term.ts';

/** Trained tensors that belong to terms. */
export const ownTensors = (network: Network, terms: readonly ChosenTerm[]): TensorDescription[] =>
  terms.flatMap(({ term, options }) => term.tensors?.(network, options) ?? []);

/** Tensors of the network that terms have tensors of their own for. */
function replacedTensors(network: Network, own: readonly TensorDescription[]): TensorDescription[] {
  const of = (tensor: string) => own.some(({ name }) => name.startsWith(`${tensor}.`));
  return network.backbone.tensors.filter(({ name }) => of(name));
}

/** What stands in for tensors of the network, made of `tensors`. */
export function replaced(
  network: Network,
  terms: readonly ChosenTerm[],
  tensors: Tensors,
): Map<string, tf.Tensor> {
  const found = new Map<string, tf.Tensor>();
  const tensor = (name: string) => found.get(name) ?? tensors[name];
  for (const { name } of replacedTensors(network, ownTensors(network, terms)))
    for (const { term, options } of terms) {
      const value = term.replace?.(name, tensor, network, options);
      if (value) found.set(name, value);
    }
  return found;
}

/**
 * The weights of the network alone: what terms put in place of its tensors is worked out, by the arithmetic of the training
 * step. `weights` holds the backbone and the terms' own tensors.
 */
export async function withoutOwnTensors(
  engine: Engine,
  network: Network,
  terms: readonly ChosenTerm[],
  weights: Arrays,
): Promise<Arrays> {
  const own = ownTensors(network, terms);
  const alone = { ...weights };
  for (const { name } of own) delete alone[name];
  const changed = replacedTensors(network, own);
  if (changed.length === 0) return alone;
  const state = specsOf([...changed, ...own]);
  const program: Program = {
    state,
    batch: {},
    step: (tensors) => ({ state: {}, outputs: Object.fromEntries(replaced(network, terms, tensors)) }),
  };
  const executable = await engine.compile(program);
  try {
    await executable.load(
      Object.fromEntries(Object.keys(state).map((name) => [name, weights[name].slice()])),
    );
    return { ...alone, ...(await executable.run({})) };
  } finally {
    await executable.dispose();
  }
}

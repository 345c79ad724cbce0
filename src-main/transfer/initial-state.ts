import { tfShape } from '../backbones/layouts.ts';
import { normalOf, randomOf } from '../data/random.ts';
import type { Arrays, Program } from '../engine/engine.ts';
import { type Network, targetHeadTensors } from './network.ts';
import { anchorName, averageName } from './step-plan.ts';

/**
 * A training program's state before its first step: the pre-trained `weights`, what the target head has besides by `seed`, anchors and
 * averages where the weights are, what was `prepared` under its names in the program, and everything else zero.
 */
export function initialState(
  program: Program,
  network: Network,
  weights: Arrays,
  seed: number,
  prepared: Arrays = {},
): Arrays {
  const known: Arrays = { ...newHead(network, seed), ...weights, ...prepared };
  // The executable writes over the arrays that it is given: a copy is one of its own.
  const copyOf = new Map(
    Object.keys(known).flatMap((name) => [anchorName, averageName].map((nameOf) => [nameOf(name), name])),
  );
  const copied = (name: string) => copyOf.has(name) && known[copyOf.get(name)!].slice();
  const zeros = (shape: number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
  return Object.fromEntries(
    Object.entries(program.state).map(([name, { shape }]) => [
      name,
      known[name] ?? (copied(name) || zeros(shape)),
    ]),
  );
}

/**
 * Bias of a new head whose scores go through a ReLU (SqueezeNet's): so far above zero that what a class learns to say against an
 * image does not leave it without a gradient. What all classes have in common changes no probability.
 */
const aboveZero = 5;

/** A new target head: weights normal(0, 0.01), bias zero, or `aboveZero` where a ReLU follows. */
export function newHead(network: Network, seed: number): Arrays {
  const random = randomOf(seed, 'head');
  const bias = network.backbone.rectifiesScores ? aboveZero : 0;
  return Object.fromEntries(
    targetHeadTensors(network).map((tensor) => {
      const values = new Float32Array(tfShape(tensor).reduce((a, b) => a * b, 1));
      if (tensor.kind === 'vector') return [tensor.name, values.fill(bias)];
      return [tensor.name, values.map(() => 0.01 * normalOf(random))];
    }),
  );
}

import type { Arrays } from '../../engine/engine.ts';

/** Σ_i shares_i · networks_i, tensor by tensor; a share of 1 gives that network's very numbers. */
export function weightedMean(networks: readonly Arrays[], shares: readonly number[]): Arrays {
  const taken = shares.flatMap((share, i) => (share === 0 ? [] : [{ share, weights: networks[i] }]));
  return Object.fromEntries(
    Object.keys(taken[0].weights).map((name) => [
      name,
      Float32Array.from(taken[0].weights[name], (_, j) =>
        taken.reduce((sum, { share, weights }) => sum + share * weights[name][j], 0),
      ),
    ]),
  );
}

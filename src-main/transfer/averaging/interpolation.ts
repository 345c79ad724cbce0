import { type Averaging, isBetter, type Score } from './averaging.ts';

/** Shares of the trained network that are tried. */
const alphas = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;
/** The authors' choice where there is nothing to choose by. */
const usualAlpha = 0.5;

/**
 * θ = (1 − α) θ⁰ + α θ¹ between the network that a run began with and the one that it trained, α by validation accuracy, of
 * equals by NLL. Wortsman et al., «Robust fine-tuning of zero-shot models» (WiSE-FT), CVPR 2022, equation 1.
 */
export const interpolation: Averaging = {
  name: 'interpolation',
  title: 'Interpolation',
  help: 'takes the best point on the line from the network that the run began with to the one that it trained',
  source: 'Wortsman et al., «Robust fine-tuning of zero-shot models» (WiSE-FT), CVPR 2022, equation 1',
  of: 'run',
  tries: () => alphas.length,
  async shares(_, tryOut) {
    let best: { alpha: number; score: Score } | null = null;
    for (const alpha of tryOut ? alphas : []) {
      const score = await tryOut!([1 - alpha, alpha], { alpha });
      if (!best || isBetter(score, best.score)) best = { alpha, score };
    }
    const alpha = best?.alpha ?? usualAlpha;
    return [1 - alpha, alpha];
  },
};

/** What each place of a picture adds to the score of a class, from the last features that still have places. */

/** Features at every place, row-major [rows × columns, channels]. */
export interface PlacedFeatures {
  values: Float32Array;
  rows: number;
  columns: number;
  channels: number;
}

/**
 * Class activation map, row-major [rows, columns]: Σ_c w_kc A_c at every place, without the bias. `weights` are a linear head's on
 * pooled features, [channels, classes]. Zhou et al., «Learning Deep Features for Discriminative Localization», CVPR 2016, equation 2.
 */
export const classActivationMap = (
  features: PlacedFeatures,
  weights: Float32Array,
  label: number,
): Float64Array => {
  const classes = weights.length / features.channels;
  return weighted(features, (channel) => weights[channel * classes + label]);
};

/**
 * Grad-CAM before its ReLU, [rows, columns]: Σ_c α_c A_c with α_c the mean over places of ∂ logit / ∂ A_c. `gradients` are in the
 * order of the features. Selvaraju et al., «Grad-CAM», ICCV 2017, equations 1 and 2.
 */
export function gradCam(features: PlacedFeatures, gradients: Float32Array): Float64Array {
  const { channels } = features;
  const places = gradients.length / channels;
  const alphas = new Float64Array(channels);
  for (let place = 0; place < places; place++)
    for (let c = 0; c < channels; c++) alphas[c] += gradients[place * channels + c] / places;
  return weighted(features, (channel) => alphas[channel]);
}

function weighted({ values, channels }: PlacedFeatures, weightOf: (channel: number) => number): Float64Array {
  const weights = Float64Array.from({ length: channels }, (_, channel) => weightOf(channel));
  const map = new Float64Array(values.length / channels);
  for (let place = 0; place < map.length; place++)
    for (let c = 0; c < channels; c++) map[place] += weights[c] * values[place * channels + c];
  return map;
}

/** So many channels as a multiple of 8: the nearest, never more than 10 % below (torchvision's and TensorFlow's rule). */
export function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

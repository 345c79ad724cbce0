import type { Sample, SampleIssue } from '../../src-shared/domain.ts';
import { type Look, lookHeight, lookWidth } from './perceptual-hash.ts';

/** From twice as long as wide on, a center crop cuts off half of the picture. */
const extremeAspect = 2;
/** An image is small beside the others where its shorter side is a third of the usual one or less: it is blown up as much more. */
const smallShare = 1 / 3;
/** Mean luminance, of 255, under which hardly anything shows on a screen: photographs of the night have 20 to 40. */
const darkBelow = 12;
/** Luminances, of 255, that a plain picture spans: what JPEG adds to one color is less. */
const plainSpan = 6;
/**
 * Mean bend of the luminances of a look, as a share of their span. Of 600 photographs of birds none has less than 0.036; blurred by a
 * Gaussian of 9 of 224 pixels most have less than 0.03, of 6 one in ten: what only a network's finer eye misses is not found.
 */
const blurredBelow = 0.03;

/** What is odd about the shapes of images: long ones, and those small beside the others. */
export function shapeFindings(images: readonly Pick<Sample, 'path' | 'width' | 'height'>[]): SampleIssue[] {
  const shorter = images.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  const usual = shorter[Math.floor(shorter.length / 2)];
  return images.flatMap(({ path, width, height }) => {
    const found: SampleIssue[] = [];
    const side = Math.min(width, height);
    const aspect = Math.max(width, height) / side;
    if (aspect >= extremeAspect)
      found.push({
        kind: 'extreme-aspect',
        path,
        detail: `${width} × ${height} pixels: a center crop would cut off ${Math.round(100 * (1 - 1 / aspect))} %`,
        score: aspect,
      });
    if (side <= smallShare * usual)
      found.push({
        kind: 'odd-size',
        path,
        detail: `${width} × ${height} pixels, where the shorter side usually has ${usual}`,
        score: usual / side,
      });
    return found;
  });
}

/** The kinds that are judged from a look, and stay while the file does. */
export const lightKinds = ['dark', 'blank', 'blurred'] as const;

/** What the look of an image says of its light and sharpness: its plainest fault. */
export function lightFindings(
  { path, width, height }: Pick<Sample, 'path' | 'width' | 'height'>,
  look: Look,
): SampleIssue[] {
  let [sum, least, most] = [0, 255, 0];
  for (const value of look) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const [mean, span] = [sum / look.length, most - least];
  if (span <= plainSpan)
    return [
      {
        kind: 'blank',
        path,
        detail: `one plain color: luminances from ${least} to ${most} of 255`,
        score: -span,
      },
    ];
  if (mean < darkBelow)
    return [{ kind: 'dark', path, detail: `mean luminance ${mean.toFixed(0)} of 255`, score: -mean }];
  // One of hardly more pixels than its look is smooth for that reason.
  if (Math.min(width, height) < 3 * lookWidth) return [];
  const sharpness = bend(look) / span;
  if (sharpness < blurredBelow)
    return [
      {
        kind: 'blurred',
        path,
        detail: `it hardly has an edge: luminances bend by ${(100 * sharpness).toFixed(1)} % of their span`,
        score: -sharpness,
      },
    ];
  return [];
}

/** Mean absolute second difference of the luminances along rows and columns: smooth ramps have none. */
function bend(look: Look): number {
  let sum = 0;
  let count = 0;
  for (let y = 1; y < lookHeight - 1; y++)
    for (let x = 1; x < lookWidth - 1; x++) {
      const at = y * lookWidth + x;
      sum += Math.abs(2 * look[at] - look[at - 1] - look[at + 1]);
      sum += Math.abs(2 * look[at] - look[at - lookWidth] - look[at + lookWidth]);
      count += 2;
    }
  return sum / count;
}

import sharp from 'sharp';
import { type HeatMap, heatPixels } from '../../src-shared/heat.ts';
import { writeWhole } from '../formats/write-whole.ts';
import { decodeTo, openImage } from './decode.ts';
import { imageError } from './image.ts';
import { readLocated } from './read-located.ts';
import { type ImageSource, placeOf } from './stored-images.ts';

/** Longer side in pixels of a picture with a map over it: a map has some fifty places. */
const longest = 1024;
/** Share of the hottest place's color; the rest is the picture. */
const opacity = 0.7;

/**
 * Writes a picture with a map laid over its part `region` (left, top, width, height as shares of its sides) as the PNG
 * `out`. Errors: as reading the picture, and `unavailable` where the file cannot be written.
 */
export async function writeOverlay(
  source: Pick<ImageSource, 'path' | 'place'>,
  map: HeatMap & { region: readonly [number, number, number, number] },
  out: string,
): Promise<void> {
  let picture: Awaited<ReturnType<typeof decodeTo>>;
  try {
    const place = placeOf(source);
    const image = await openImage(await readLocated(place), place.locator.crop);
    const shrunk = Math.min(1, longest / Math.max(image.width, image.height));
    const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * shrunk)));
    picture = await decodeTo(image, width, height, 'exact');
  } catch (error) {
    throw imageError(error, source.path, 'failed', 'shown');
  }
  const { width, height, data } = picture;
  const [left, top] = [Math.round(map.region[0] * width), Math.round(map.region[1] * height)];
  const across = Math.max(1, Math.round(map.region[2] * width));
  const down = Math.max(1, Math.round(map.region[3] * height));
  const heat = heatPixels(map, across, down);
  for (let y = Math.max(0, top); y < Math.min(height, top + down); y++)
    for (let x = Math.max(0, left); x < Math.min(width, left + across); x++) {
      const from = 4 * ((y - top) * across + x - left);
      const share = (opacity * heat[from + 3]) / 255;
      const to = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) data[to + c] += share * (heat[from + c] - data[to + c]);
    }
  writeWhole(out, [
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  ]);
}

/** Draws pictures of species and writes them as an image folder: the bundled sample, made anew from a seed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Dice, dice } from './dice.ts';
import { composeScene } from './draw-scene.ts';
import type { Species } from './species.ts';

/** Side of a picture in pixels. */
export const pictureSide = 96;

/** The vector drawing of picture `index` of a species in the world `seed`: the same words, the same drawing. */
export function sketch(species: Species, seed: number, split: string, index: number): string {
  const throws = dice('sketch', seed, species.name, split, index);
  const figure = species.draw(throws);
  return composeScene(
    { figure, turn: species.turn, habitat: throws.pick(species.habitats) },
    throws,
    pictureSide,
  );
}

/** Light from one side, a tint, a camera's noise: in place, over RGB bytes. */
function photograph(pixels: Buffer, throws: Dice): void {
  const exposure = throws.range(0.72, 1.18);
  const contrast = throws.range(0.75, 1.12);
  const slope = [throws.normal(0.22), throws.normal(0.22)];
  const tint = [1 + throws.normal(0.06), 1 + throws.normal(0.03), 1 + throws.normal(0.07)];
  const grain = throws.range(2, 13);
  for (let y = 0, i = 0; y < pictureSide; y++)
    for (let x = 0; x < pictureSide; x++) {
      const light = exposure * (1 + slope[0] * (x / pictureSide - 0.5) + slope[1] * (y / pictureSide - 0.5));
      // One word of chance is enough for three channels of grain.
      const word = throws.word();
      for (let channel = 0; channel < 3; channel++, i++) {
        const noise = (((word >>> (channel * 10)) & 1023) / 511.5 - 1) * grain * 1.6;
        const value = ((pixels[i] - 128) * contrast + 128) * light * tint[channel] + noise;
        pixels[i] = value < 0 ? 0 : Math.min(value, 255);
      }
    }
}

/** One picture as JPEG. */
export async function drawPicture(
  species: Species,
  seed: number,
  split: string,
  index: number,
): Promise<Buffer> {
  const throws = dice('photograph', seed, species.name, split, index);
  let image = sharp(Buffer.from(sketch(species, seed, split, index))).removeAlpha();
  if (throws.chance(0.3)) image = image.blur(throws.range(0.5, 1.3));
  const pixels = await image.raw().toBuffer();
  photograph(pixels, throws);
  return sharp(pixels, { raw: { width: pictureSide, height: pictureSide, channels: 3 } })
    .jpeg({ quality: 88, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/** Path of a picture inside its image folder. */
export const picturePath = (split: string, species: Species, index: number): string =>
  join(split, species.name, `${String(index).padStart(3, '0')}.jpg`);

/**
 * Writes `folder/<split>/<species>/<nnn>.jpg`, `counts[split]` pictures for every species.
 * `onProgress` hears how many of all pictures are written.
 */
export async function drawImageFolder(
  folder: string,
  plan: { species: readonly Species[]; seed: number; counts: Readonly<Record<string, number>> },
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  const jobs = Object.entries(plan.counts).flatMap(([split, count]) =>
    plan.species.flatMap((species) =>
      Array.from({ length: count }, (_, index) => ({ split, species, index })),
    ),
  );
  for (const split of Object.keys(plan.counts))
    for (const species of plan.species) await mkdir(join(folder, split, species.name), { recursive: true });
  let [next, done] = [0, 0];
  const work = async () => {
    while (next < jobs.length) {
      const { split, species, index } = jobs[next++];
      const file = join(folder, picturePath(split, species, index));
      await writeFile(file, await drawPicture(species, plan.seed, split, index));
      onProgress(++done, jobs.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

/** Plants faults in a copy of a dataset of class folders, so that what finds them can be measured. */
import { copyFileSync, cpSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { permutation, randomOf } from '../src-main/data/random.ts';

export interface Planted {
  /** Paths of pairs across splits, the copy last. */
  exact: [string, string][];
  near: { pair: [string, string]; how: string }[];
  /** Where an image lies now, and the class that it is of. */
  wrong: { path: string; truth: string }[];
  spellings: [string, string];
}

/** What near-duplicates are made by, one after the other. */
const changes: Record<string, (image: Sharp, width: number, height: number) => Sharp> = {
  're-encoded at quality 50': (image) => image.jpeg({ quality: 50 }),
  'resized to 60 %': (image, width) => image.resize(Math.round(0.6 * width)).jpeg({ quality: 85 }),
  'cropped by 3 % at each side': (image, width, height) =>
    image
      .extract({
        left: Math.round(0.03 * width),
        top: Math.round(0.03 * height),
        width: Math.round(0.94 * width),
        height: Math.round(0.94 * height),
      })
      .jpeg({ quality: 85 }),
  'brighter by 20 %': (image) => image.modulate({ brightness: 1.2 }).jpeg({ quality: 85 }),
};

/** Copies `from` (train/CLASS/FILE, test/CLASS/FILE) to `to` with faults: 20 exact and 20 near copies of training images in test, 30 wrong labels, a class of two spellings. */
export async function plantFaults(from: string, to: string, seed = 1): Promise<Planted> {
  for (const split of ['train', 'test']) cpSync(join(from, split), join(to, split), { recursive: true });
  const images = ['train', 'test'].flatMap((split) =>
    readdirSync(join(to, split)).flatMap((name) =>
      readdirSync(join(to, split, name)).map((file) => ({ split, name, file })),
    ),
  );
  const classes = [...new Set(images.map(({ name }) => name))];
  const drawn = permutation(images.length, randomOf(seed, 'planted'));
  const order = Array.from(drawn, (at) => images[at]);
  const train = order.filter(({ split }) => split === 'train');
  const place = ({ split, name, file }: (typeof images)[number]) => join(split, name, file);

  const exact = train.slice(0, 20).map((image): [string, string] => {
    const copy = join('test', image.name, `copy of ${image.file}`);
    copyFileSync(join(to, place(image)), join(to, copy));
    return [place(image), copy];
  });
  const near: Planted['near'] = [];
  const ways = Object.entries(changes);
  for (const [at, image] of train.slice(20, 40).entries()) {
    const [how, change] = ways[at % ways.length];
    const copy = join('test', image.name, `like ${image.file}`);
    const { width, height } = await sharp(join(to, place(image))).metadata();
    await change(sharp(join(to, place(image))), width, height).toFile(join(to, copy));
    near.push({ pair: [place(image), copy], how });
  }

  const copied = new Set(train.slice(0, 40));
  const wrong = order
    .filter((image) => !copied.has(image))
    .slice(0, 30)
    .map((image, at) => {
      const others = classes.filter((name) => name !== image.name);
      const other = others[permutation(others.length, randomOf(seed, 'wrong label', at))[0]];
      const path = join(image.split, other, image.file);
      renameSync(join(to, place(image)), join(to, path));
      return { path, truth: image.name };
    });

  const moved = new Set(wrong.map(({ path }) => basename(path)));
  const [name] = classes;
  const other = name.toLowerCase().replaceAll('_', ' ');
  mkdirSync(join(to, 'train', other));
  const members = readdirSync(join(to, 'train', name)).filter((file) => !moved.has(file));
  for (const file of members.slice(0, members.length >> 1)) {
    if (exact.concat(near.map(({ pair }) => pair)).some((pair) => basename(pair[0]) === file)) continue;
    renameSync(join(to, 'train', name, file), join(to, 'train', other, file));
  }
  return { exact, near, wrong, spellings: [name, other] };
}

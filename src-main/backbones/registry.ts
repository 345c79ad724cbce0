/** The networks that are known here: a line for each file of `networks`, and files that a person adds. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import type { Architecture, Twin } from './architecture.ts';
import alexnet from './networks/alexnet.ts';
import convnexts from './networks/convnext.ts';
import densenets from './networks/densenet.ts';
import efficientnets from './networks/efficientnet.ts';
import mobilenetV2 from './networks/mobilenet-v2.ts';
import mobilenetV3s from './networks/mobilenet-v3.ts';
import resnets from './networks/resnet.ts';
import squeezenet from './networks/squeezenet.ts';
import vggs from './networks/vgg.ts';
import visionTransformers from './networks/vit.ts';

const builtIn: readonly Architecture[] = [
  ...resnets,
  ...mobilenetV2,
  ...mobilenetV3s,
  ...efficientnets,
  ...convnexts,
  ...visionTransformers,
  ...densenets,
  ...vggs,
  ...alexnet,
  ...squeezenet,
];

/** Names a folder of further networks: files `.ts`, `.js` or `.mjs` whose default export is an architecture, or a list of them. */
const folderVariable = 'COTUNE_NETWORKS';

const added = new Map<string, readonly Architecture[]>();

/** Every network that is known, those of the folder named by COTUNE_NETWORKS included. */
export function architectures(): readonly Architecture[] {
  const folder = process.env[folderVariable];
  return folder ? [...builtIn, ...fromFolder(resolve(folder))] : builtIn;
}

export const architectureNames = (): string[] => architectures().map(({ name }) => name);

/** A network by its name, by one that another library gives it, or by a twin's. */
export const findArchitecture = (name: string): Architecture | undefined =>
  architectures().find((one) => one.name === name) ??
  architectures().find((one) => one.aliases?.includes(name) || twinNamed(one, name));

/** The twin of a network that has this name. */
export const twinNamed = ({ twins }: Architecture, name: string): Twin | undefined =>
  twins?.find((twin) => twin.name === name);

/** The same. Errors: `not-found`, with the nearest name. */
export function architectureNamed(name: string): Architecture {
  const known = findArchitecture(name);
  if (known) return known;
  const meant = nearest(name, architectureNames());
  throw new CotuneError(
    'not-found',
    `There is no architecture "${name}".${meant ? ` Did you mean "${meant}"?` : ''}`,
    `Known: ${architectureNames().join(', ')}.`,
  );
}

function fromFolder(folder: string): readonly Architecture[] {
  const known = added.get(folder);
  if (known) return known;
  const load = createRequire(import.meta.url);
  const found = filesIn(folder).flatMap((file): Architecture[] => {
    try {
      const module = load(join(folder, file));
      return [module.default ?? module].flat();
    } catch (error) {
      throw new CotuneError(
        'bad-input',
        `The network in ${join(folder, file)} cannot be loaded: ${(error as Error).message}`,
        `Correct it, or take it out of the folder that ${folderVariable} names.`,
        { cause: error },
      );
    }
  });
  added.set(folder, found);
  return found;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => /\.(ts|js|mjs|cjs)$/.test(file) && !/\.(test|d)\.ts$/.test(file))
      .sort();
  } catch (error) {
    throw new CotuneError(
      'not-found',
      `${folderVariable} names ${folder}, which cannot be read.`,
      'Name a folder of network files, or unset it.',
      { cause: error },
    );
  }
}

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classLists } from '../../../src-shared/names.ts';
import { type ClassFile, readClassFile } from './read-class-file.ts';

const files: Record<(typeof classLists)[number], string> = {
  'imagenet-1k': fileURLToPath(new URL('../../../resources/imagenet-1k.txt', import.meta.url)),
};

/** Class names by the name of a built-in list, else from a file. Throws as `readClassFile` does. */
export function classList(nameOrPath: string): ClassFile {
  const builtIn = classLists.find((name) => name === nameOrPath);
  return builtIn ? { ...readClassFile(files[builtIn]), path: builtIn } : readClassFile(resolve(nameOrPath));
}

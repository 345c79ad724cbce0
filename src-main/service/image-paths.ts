import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { isImage } from '../data/folder.ts';
import { openFolder } from '../data/trees/folder-tree.ts';

/**
 * Image files as a person names them: a folder stands for every image in it and below, in the order of their names; a
 * path that is not there stays, for whoever reads it to say so. Errors: `bad-input` for a folder without images.
 */
export async function imagePaths(paths: readonly string[]): Promise<string[]> {
  const named: string[] = [];
  for (const path of paths) {
    if (path.trim() === '')
      throw new CotuneError('bad-input', 'An image has no name.', 'Name files or folders.');
    if (!statSync(resolve(path), { throwIfNoEntry: false })?.isDirectory()) {
      named.push(path);
      continue;
    }
    const { entries, issues } = await openFolder(resolve(path), 'all');
    const inside = [...entries.keys()]
      .sort()
      .filter(isImage)
      .map((name) => join(path, name));
    const before = named.length;
    for (const one of inside) named.push(one);
    if (named.length > before) continue;
    const [issue] = issues;
    throw new CotuneError(
      'bad-input',
      `The folder ${path} holds no image${issue ? ` that can be listed: ${issue.path}: ${issue.detail}` : ''}.`,
      'Name image files, or a folder with JPEG, PNG, WebP, GIF, BMP or TIFF images.',
    );
  }
  return named;
}

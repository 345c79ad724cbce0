import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile } from '../../formats/file-bytes.ts';
import { type JsonElement, jsonElements } from '../../formats/json-elements.ts';
import type { FileTree } from '../trees/tree.ts';
import { maxRows, tooMuch } from './text-lines.ts';

/**
 * The members of a JSON file's object, arrays element by element (`jsonElements`).
 * @throws CotuneError `bad-input` where it is no JSON, or holds more than 2,000,000 elements.
 */
export async function* jsonMembers(
  tree: FileTree,
  path: string,
  wanted?: (key: string) => boolean,
): AsyncGenerator<JsonElement> {
  const bytes = await tree.read(path);
  let count = 0;
  try {
    for (const element of jsonElements(bytes, wanted)) {
      if (++count > maxRows) throw tooMuch(path, count);
      yield element;
    }
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new CotuneError(
      'bad-input',
      `${path} is no JSON that can be read: ${error.message}.`,
      'Download it again.',
      {
        cause: error,
      },
    );
  }
}

/** The object in a small JSON file, by names; its arrays whole. Errors: as `jsonMembers`. */
export async function jsonObject(tree: FileTree, path: string): Promise<Map<string, unknown>> {
  const members = new Map<string, unknown>();
  for await (const { key, index, value } of jsonMembers(tree, path)) {
    if (index === null) members.set(key, value);
    else if (index === 0) members.set(key, [value]);
    else (members.get(key) as unknown[]).push(value);
  }
  return members;
}

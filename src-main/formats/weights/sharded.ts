import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile } from '../file-bytes.ts';
import { orRefusal, type TensorSource, type TensorSpec } from './tensor-source.ts';

const maxIndexBytes = 64 * 2 ** 20;

/**
 * Tensors of a network in several files: an index `{"weight_map": {tensor: file}}` beside them, as Hugging Face writes it.
 * `openShard` opens one of the files. Throws `bad-input` where a file is missing, lies elsewhere, or lacks a tensor.
 */
export function openSharded(
  path: string,
  name: string,
  openShard: (path: string, name: string) => TensorSource,
): TensorSource {
  return orRefusal(name, 'index of weights', () => {
    const map = weightMap(path);
    const shards = new Map<string, TensorSource>();
    const tensors = new Map<string, TensorSpec>();
    for (const [tensor, file] of map) {
      if (file !== basename(file) || file.includes('\\') || file.startsWith('.'))
        throw new DamagedFile(`it names the file ${JSON.stringify(file)}, which is not beside it`);
      if (!shards.has(file))
        shards.set(file, openShard(join(dirname(path), file), join(dirname(name), file)));
      const spec = shards.get(file)!.tensors.get(tensor);
      if (!spec) throw new DamagedFile(`its file ${file} does not hold the tensor ${tensor}`);
      tensors.set(tensor, spec);
    }
    return {
      name,
      metadata: {},
      tensors,
      notes: [],
      read(tensor) {
        const file = map.get(tensor);
        if (file === undefined)
          throw new CotuneError('bad-input', `${name} has no tensor "${tensor}".`, 'Download it again.');
        return shards.get(file)!.read(tensor);
      },
    };
  });
}

function weightMap(path: string): Map<string, string> {
  if (statSync(path).size > maxIndexBytes) throw new DamagedFile('it is larger than any index');
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new DamagedFile(`it is not JSON (${(error as Error).message})`);
  }
  const map = (document as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Object.values(map).some((file) => typeof file !== 'string'))
    throw new DamagedFile('its weight_map does not name a file for each tensor');
  return new Map(Object.entries(map as Record<string, string>));
}

import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Model, TextInput } from '../../src-shared/domain.ts';
import { convertWeights, type DistantTensors } from '../formats/weights/convert.ts';
import { architectureOf, bertMetadata } from '../text/bert-file.ts';
import { finite, matchBert } from '../text/open-bert.ts';
import type { Home } from './home.ts';
import { openUntrusted } from './keep-weights.ts';
import type { Reader } from './reader.ts';

/**
 * Takes a BERT from a folder of Hugging Face's into the data folder, as one file that says all of itself, under the SHA-256 of that.
 * The folder is read in a process of its own. Errors: `bad-input` saying what is wrong with it; `not-found`.
 */
export async function keepBert(
  home: Home,
  reader: Pick<Reader, 'read'>,
  folder: string,
): Promise<{ hash: string; facts: Omit<Model, 'id' | 'name' | 'hash' | 'addedAt'> }> {
  const { numbers, tokenizer, weights } = await reader.read('bert-folder', { folder }, folder);
  const { vocabulary, ...rules } = tokenizer;
  const input: TextInput = { ...numbers, ...rules };
  const source = await openUntrusted(reader, weights);
  const { tensors, names, hasHead, notes } = matchBert(weights, source.tensors, numbers);
  const origin = source.metadata.origin ?? basename(folder);
  const renamed: DistantTensors = {
    ...source,
    tensors: new Map(tensors.map(({ name }) => [name, source.tensors.get(names.get(name)!)!])),
    read: async (name) => finite(weights, name, await source.read(names.get(name)!)),
  };
  const temporary = home.modelFile(`${randomUUID()}.tmp`);
  try {
    const hash = await convertWeights(renamed, temporary, bertMetadata(input, vocabulary, origin));
    await rename(temporary, home.modelFile(hash));
    const sourceClasses = Array.from(
      { length: hasHead ? numbers.vocabulary : 0 },
      (_, piece) => vocabulary[piece] ?? `[piece ${piece}]`,
    );
    const facts = {
      architecture: architectureOf(input),
      padding: 'symmetric' as const,
      batchNormEpsilon: 1e-5,
      text: input,
      sourceClasses,
      temperature: null,
      parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
      origin,
      notes: [...source.notes, ...notes],
    };
    return { hash, facts };
  } finally {
    await rm(temporary, { force: true });
  }
}

import { randomUUID } from 'node:crypto';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { inspectNetwork, type ModelOverrides, type NetworkFacts } from '../backbones/inspect.ts';
import { architectureNames } from '../backbones/registry.ts';
import { networkPrefix, prefixNotes, subtree } from '../backbones/subtree.ts';
import { convertWeights, type DistantTensors } from '../formats/weights/convert.ts';
import { recognizeWeights } from '../formats/weights/recognize.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import { hashFile } from './data-check.ts';
import type { Home } from './home.ts';
import type { Reader } from './reader.ts';

/**
 * Takes weights into the data folder under the SHA-256 of what is kept, whole and on the disk or not at all. A safetensors file
 * is kept as it is; what another file holds, read in a process of its own, and a network among other tensors or behind a wrapper's
 * prefix, as a safetensors file made of it. What is kept is what is looked at and hashed: the original may be changing under a
 * download. Errors: `bad-input` saying what the file is, or
 * what is wrong with it; `not-found`.
 */
export async function keepWeights(
  home: Home,
  reader: Pick<Reader, 'read'>,
  from: string,
  overrides: ModelOverrides,
): Promise<{ hash: string; facts: NetworkFacts }> {
  const candidates = overrides.architecture === undefined ? architectureNames() : [overrides.architecture];
  const temporary = home.modelFile(`${randomUUID()}.tmp`);
  try {
    const { hash, notes } =
      recognizeWeights(from) === 'safetensors'
        ? await copy(from, temporary, candidates)
        : await take(await openUntrusted(reader, from), temporary, candidates);
    const facts = await inspectNetwork({ ...openSafetensors(temporary, from), notes }, overrides);
    await rename(temporary, home.modelFile(hash));
    return { hash, facts };
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Tensors of a file that may come from anywhere. Errors: `bad-input`, also where it ended the process that read it. */
export async function openUntrusted(reader: Pick<Reader, 'read'>, path: string): Promise<DistantTensors> {
  const folder = dirname(path);
  const said = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      if (error instanceof CotuneError) throw error;
      throw new CotuneError(
        'bad-input',
        `${path} could not be read: ${(error as Error).message}.`,
        'Download or export it again.',
        { cause: error },
      );
    }
  };
  const index = await said(reader.read('weights-index', { path }, folder));
  return {
    ...index,
    tensors: new Map(index.tensors),
    read: (tensor) => said(reader.read('weights-tensor', { path, tensor }, folder)),
  };
}

interface Kept {
  hash: string;
  notes: readonly string[];
}

async function copy(from: string, to: string, candidates: readonly string[]): Promise<Kept> {
  await copyFile(from, to);
  const copied = openSafetensors(to, from);
  const prefix = networkPrefix(copied, candidates);
  if (prefix) {
    const rewritten = `${to}.2`;
    const kept = await convert(copied, rewritten, prefix);
    await rename(rewritten, to);
    return kept;
  }
  const hash = await hashFile(to);
  const file = await open(to, 'r+');
  await file.sync();
  await file.close();
  return { hash, notes: [] };
}

const take = (source: DistantTensors, to: string, candidates: readonly string[]): Promise<Kept> =>
  convert(source, to, networkPrefix(source, candidates));

async function convert(source: DistantTensors, to: string, prefix: string): Promise<Kept> {
  const origin = source.metadata.origin ?? basename(source.name);
  return {
    hash: await convertWeights(subtree(source, prefix), to, { ...source.metadata, origin }),
    notes: [...source.notes, ...prefixNotes(source, prefix)],
  };
}

import { randomUUID } from 'node:crypto';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { inspectNetwork, type ModelOverrides, type NetworkFacts } from '../backbones/inspect.ts';
import { recognizeWeights } from '../formats/weights/recognize.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import { hashFile } from './data-check.ts';
import type { Home } from './home.ts';

/**
 * Copies weights into the data folder under their SHA-256, whole and on the disk or not at all. The copy is what is looked
 * at and hashed: the original may be changing under a download. Errors: `bad-input` saying what the file is, or what is wrong
 * with it; `not-found`.
 */
export async function keepWeights(
  home: Home,
  from: string,
  overrides: ModelOverrides,
): Promise<{ hash: string; facts: NetworkFacts }> {
  const temporary = home.modelFile(`${randomUUID()}.tmp`);
  try {
    recognizeWeights(from);
    await copyFile(from, temporary);
    const facts = await inspectNetwork(openSafetensors(temporary, from), overrides);
    const hash = await hashFile(temporary);
    const file = await open(temporary, 'r+');
    await file.sync();
    await file.close();
    await rename(temporary, home.modelFile(hash));
    return { hash, facts };
  } finally {
    await rm(temporary, { force: true });
  }
}

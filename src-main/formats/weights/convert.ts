import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { safetensorsHead } from '../safetensors.ts';
import type { TensorSource } from './tensor-source.ts';

/** Tensors that may have to be waited for: those of a source that is read in another process. */
export type DistantTensors = Pick<TensorSource, 'name' | 'metadata' | 'tensors' | 'notes'> & {
  read(tensor: string): Float32Array | Promise<Float32Array>;
};

/**
 * Writes tensors into a safetensors file, one after another, so that no more than one is in memory: halves as halves,
 * everything else as float32. The file is on the disk when this returns, and gone where it throws what a read throws.
 * @returns SHA-256 of the file (hex).
 */
export async function convertWeights(
  source: DistantTensors,
  path: string,
  metadata: Record<string, string>,
): Promise<string> {
  const entries = [...source.tensors].map(([name, { shape, dtype }]) => ({
    name,
    shape: [...shape],
    dtype: dtype === 'F16' ? ('F16' as const) : ('F32' as const),
  }));
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      await file.writeFile(bytes);
    };
    await write(safetensorsHead(entries, metadata));
    for (const { name, dtype } of entries) {
      const values = await source.read(name);
      const data = dtype === 'F16' ? new Float16Array(values) : values;
      await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
    await file.close();
    return hash.digest('hex');
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
}

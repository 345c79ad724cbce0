import { statSync } from 'node:fs';
import { openWeights } from '../../formats/weights/open.ts';
import type { TensorSource } from '../../formats/weights/tensor-source.ts';

/** The file asked about last: its tensors are asked for one after another. */
let last: { path: string; changed: number; source: TensorSource } | null = null;

function opened(path: string): TensorSource {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (last?.path !== path || last.changed !== changed) last = { path, changed, source: openWeights(path) };
  return last.source;
}

/** What a weights file holds: names, shapes and types, no tensor. Errors: as `openWeights`. */
export const weightsIndex = async ({ path }: { path: string }) => {
  const { name, metadata, tensors, notes } = opened(path);
  const specs = [...tensors].map(
    ([tensor, { shape, dtype }]) => [tensor, { shape: [...shape], dtype }] as const,
  );
  return { name, metadata: { ...metadata }, tensors: specs, notes: [...notes] };
};

/** One tensor of it as float32. Errors: as `TensorSource.read`. */
export const weightsTensor = async ({
  path,
  tensor,
}: {
  path: string;
  tensor: string;
}): Promise<Float32Array> => opened(path).read(tensor);

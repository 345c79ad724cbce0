import { readSafetensorsHeader, readTensors } from '../safetensors.ts';
import type { TensorSource } from './tensor-source.ts';

/** Tensors of one safetensors file; `name` is what messages call it. Throws as `readSafetensorsHeader` does. */
export function openSafetensors(path: string, name = path): TensorSource {
  const header = readSafetensorsHeader(path, name);
  return {
    name,
    metadata: header.metadata,
    tensors: header.tensors,
    notes: [],
    read: (tensor) => readTensors(header, [tensor]).get(tensor)!,
  };
}

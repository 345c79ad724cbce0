import type { TensorSource, TensorSpec } from '../formats/weights/tensor-source.ts';

/**
 * A source in which tensors that its file keeps apart are one, under a torchvision name: `packed` says which, `nameOf` turns the
 * file's names into torchvision's. A tensor of which a part is missing stays apart.
 */
export function packTensors(
  source: TensorSource,
  nameOf: (name: string) => string,
  packed: ReadonlyMap<string, readonly string[]>,
): TensorSource {
  const originals = new Map([...source.tensors.keys()].map((name) => [nameOf(name), name]));
  const partsOf = new Map<string, string[]>();
  const tensors = new Map<string, TensorSpec>(source.tensors);
  for (const [name, parts] of packed) {
    const found = parts.map((part) => originals.get(part));
    if (!found.every((part): part is string => part !== undefined)) continue;
    const specs = found.map((part) => source.tensors.get(part)!);
    const rows = specs.reduce((sum, { shape }) => sum + shape[0], 0);
    for (const part of found) tensors.delete(part);
    tensors.set(name, { ...specs[0], shape: [rows, ...specs[0].shape.slice(1)] });
    partsOf.set(name, found);
  }
  return {
    ...source,
    tensors,
    read(tensor) {
      const parts = partsOf.get(tensor)?.map((part) => source.read(part));
      if (!parts) return source.read(tensor);
      const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    },
  };
}

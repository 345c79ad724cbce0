import { type ElementName, elementTypes } from '../element-types.ts';
import { DamagedFile, FileBytes } from '../file-bytes.ts';
import { StorageClass, torchGlobals } from './globals.ts';
import { unpickle } from './pickle.ts';
import { isCount, swapBytes, type TorchStorage } from './tensor.ts';

const maxPickleBytes = 64 * 2 ** 20;

/** Where a storage's elements are; known when the pickle that refers to it has been read. */
interface Place {
  dtype: ElementName;
  /** Elements that the pickle says it has. */
  length: number;
  begin: number;
}

/**
 * What `torch.save` wrote before PyTorch 1.6: pickles one after another (a magic number, a version, facts about the machine,
 * the object, the keys of its storages), then each storage: its length, 8 bytes, and its elements. Throws `DamagedFile`, or the
 * refusal of a global.
 */
export function readTorchLegacy(path: string, name: string): unknown {
  const file = new FileBytes(path);
  const head = file.read(0, Math.min(file.size, maxPickleBytes));
  const places = new Map<string, Place>();
  let little = true;

  function storage(id: unknown): TorchStorage {
    const [kind, type, key, , length, view] = Array.isArray(id) ? id : [];
    if (
      kind !== 'storage' ||
      !(type instanceof StorageClass) ||
      (typeof key !== 'string' && !isCount(key)) ||
      !isCount(length)
    )
      throw new DamagedFile('its pickle refers to something that is no storage');
    const dtype = type.dtype ?? 'U8';
    const place = places.get(String(key)) ?? { dtype, length, begin: -1 };
    places.set(String(key), place);
    const whole = storageAt(file, place, () => little);
    if (!Array.isArray(view)) return whole;
    const [, from, count] = view;
    if (!isCount(from) || !isCount(count) || from + count > length)
      throw new DamagedFile('a view of a storage leaves it');
    return { ...whole, length: count, read: (begin, end) => whole.read(from + begin, from + end) };
  }

  const globals = torchGlobals(name, storage);
  const magic = unpickle(head, 0, globals);
  const version = unpickle(head, magic.end, globals);
  if (version.value !== 1001) throw new DamagedFile(`its version is ${String(version.value)}, not 1001`);
  const machine = unpickle(head, version.end, globals);
  if (machine.value instanceof Map) little = machine.value.get('little_endian') !== false;
  const object = unpickle(head, machine.end, globals);
  const keys = unpickle(head, object.end, globals);
  if (!Array.isArray(keys.value)) throw new DamagedFile('its list of storages is none');
  let at = keys.end;
  for (const key of keys.value) {
    const place = places.get(String(key));
    if (!place) throw new DamagedFile(`nothing refers to its storage ${String(key)}`);
    at = settle(file, place, at, little);
  }
  const lost = [...places].find(([, { begin }]) => begin < 0);
  if (lost) throw new DamagedFile(`its storage ${lost[0]} is missing`);
  return object.value;
}

/** Notes where a storage's elements begin, behind their number; returns where they end. */
export function settle(file: FileBytes, place: Place, at: number, little: boolean): number {
  const count = Number(new DataView(file.read(at, 8).buffer).getBigInt64(0, little));
  if (count !== place.length)
    throw new DamagedFile(`a storage has ${count} elements instead of ${place.length}`);
  place.begin = at + 8;
  const end = place.begin + count * elementTypes[place.dtype].bytes;
  if (end > file.size)
    throw new DamagedFile(`it ends at byte ${file.size}, and should reach ${end}: it is cut off`);
  return end;
}

/** The storage at a place, which is read when a tensor is. */
export function storageAt(file: FileBytes, place: Place, little: () => boolean): TorchStorage {
  const width = elementTypes[place.dtype].bytes;
  return {
    dtype: place.dtype,
    length: place.length,
    read(from, to) {
      const bytes = file.read(place.begin + from * width, (to - from) * width);
      return little() ? bytes : swapBytes(bytes, width);
    },
  };
}

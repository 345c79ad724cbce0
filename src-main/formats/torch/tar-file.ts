import { elementTypes } from '../element-types.ts';
import { DamagedFile, FileBytes } from '../file-bytes.ts';
import { tarMembers } from '../tar.ts';
import { StorageClass, torchGlobals } from './globals.ts';
import { settle, storageAt } from './legacy-file.ts';
import { type Globals, unpickle } from './pickle.ts';
import { isCount, type TorchStorage, TorchTensor } from './tensor.ts';

const maxPickleBytes = 64 * 2 ** 20;

/**
 * What `torch.save` wrote before PyTorch 0.1.10: a tar archive with the members `storages` (each a pickle of its key and class,
 * its length and elements; then views of them), `tensors` (each a pickle of its key and storage, then shape, strides, offset)
 * and `pickle`, which refers to tensors by key. Throws `DamagedFile`, or the refusal of a global.
 */
export function readTorchTar(path: string, name: string): unknown {
  const file = new FileBytes(path);
  const members = new Map([...tarMembers(file)].map((member) => [member.name.replace(/^\.\//, ''), member]));
  const objects = new Map<number, unknown>();
  const none = torchGlobals(name, () => {
    throw new DamagedFile('its list of storages refers to something outside it');
  });
  readStorages(new Cursor(file, members.get('storages'), none), objects);
  readTensors(new Cursor(file, members.get('tensors'), none), objects);
  const globals = torchGlobals(name, (id) => {
    const key = Array.isArray(id) ? null : Number(id);
    if (key === null || !objects.has(key))
      throw new DamagedFile('its pickle refers to a tensor that it does not have');
    return objects.get(key);
  });
  return new Cursor(file, members.get('pickle'), globals).pickle();
}

/** Reads a member from its beginning, pickles and numbers in turn. */
class Cursor {
  readonly file: FileBytes;
  at: number;
  #end: number;
  #globals: Globals;

  constructor(file: FileBytes, member: { begin: number; size: number } | undefined, globals: Globals) {
    if (!member) throw new DamagedFile('one of its members storages, tensors and pickle is missing');
    this.file = file;
    this.at = member.begin;
    this.#end = member.begin + member.size;
    this.#globals = globals;
  }

  pickle(): unknown {
    // Pickles in front of elements are short; the long one is a member of its own.
    for (let length = 4096; ; length = maxPickleBytes) {
      const bytes = this.file.read(this.at, Math.min(length, this.#end - this.at));
      try {
        const { value, end } = unpickle(bytes, 0, this.#globals);
        this.at += end;
        return value;
      } catch (error) {
        if (length === maxPickleBytes || !(error instanceof DamagedFile)) throw error;
      }
    }
  }

  count(): number {
    const value = this.pickle();
    if (!isCount(value)) throw new DamagedFile('one of its members does not say how much it holds');
    return value;
  }

  int64s(count: number): number[] {
    const view = new DataView(this.file.read(this.at, 8 * count).buffer);
    this.at += 8 * count;
    return Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }
}

function readStorages(cursor: Cursor, objects: Map<number, unknown>): void {
  for (let left = cursor.count(); left > 0; left--) {
    const [key, , type] = asList(cursor.pickle());
    if (!isCount(key) || !(type instanceof StorageClass))
      throw new DamagedFile('one of its storages is none');
    const dtype = type.dtype ?? 'U8';
    const length = Number(new DataView(cursor.file.read(cursor.at, 8).buffer).getBigInt64(0, true));
    if (!isCount(length) || length * elementTypes[dtype].bytes > cursor.file.size)
      throw new DamagedFile('one of its storages is longer than the file');
    const place = { dtype, length, begin: -1 };
    cursor.at = settle(cursor.file, place, cursor.at, true);
    objects.set(
      key,
      storageAt(cursor.file, place, () => true),
    );
  }
  for (const view of asList(cursor.pickle())) {
    const [key, root, offset, length] = asList(view);
    const storage = objects.get(root as number) as TorchStorage | undefined;
    if (!storage || !isCount(key) || !isCount(offset) || !isCount(length) || offset + length > storage.length)
      throw new DamagedFile('a view of a storage leaves it');
    objects.set(key, {
      ...storage,
      length,
      read: (from: number, to: number) => storage.read(offset + from, offset + to),
    });
  }
}

function readTensors(cursor: Cursor, objects: Map<number, unknown>): void {
  for (let left = cursor.count(); left > 0; left--) {
    const [key, id] = asList(cursor.pickle());
    const storage = objects.get(id as number);
    if (!isCount(key) || typeof storage !== 'object' || storage === null || storage instanceof TorchTensor)
      throw new DamagedFile('one of its tensors has no storage');
    const axes = new DataView(cursor.file.read(cursor.at, 4).buffer).getInt32(0, true);
    if (axes < 0 || axes > 16) throw new DamagedFile(`one of its tensors has ${axes} axes`);
    cursor.at += 8;
    const [shape, stride] = [cursor.int64s(axes), cursor.int64s(axes)];
    const [offset] = cursor.int64s(1);
    objects.set(key, new TorchTensor(storage as TorchStorage, offset, shape, stride));
  }
}

function asList(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new DamagedFile('one of its members is damaged');
  return value;
}

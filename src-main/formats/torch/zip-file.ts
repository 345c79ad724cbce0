import { elementTypes } from '../element-types.ts';
import { DamagedFile, FileBytes } from '../file-bytes.ts';
import { ZipArchive } from '../zip.ts';
import { StorageClass, torchGlobals } from './globals.ts';
import { unpickle } from './pickle.ts';
import { isCount, swapBytes, type TorchStorage } from './tensor.ts';

const maxPickleBytes = 64 * 2 ** 20;

/**
 * What `torch.save` wrote since PyTorch 1.6, or TorchScript: a zip archive with a pickle `NAME/data.pkl`, the storages as
 * `NAME/data/KEY`, and `NAME/byteorder` where it is said. Storages are read when a tensor is. Throws `DamagedFile`, or the
 * refusal of a global.
 */
export function readTorchZip(path: string, name: string): unknown {
  const file = new FileBytes(path);
  const archive = new ZipArchive(file);
  const pickle = [...archive.members.keys()].find((member) => /^([^/]*\/)?data\.pkl$/.test(member));
  if (pickle === undefined) throw new DamagedFile('it has no data.pkl');
  const prefix = pickle.slice(0, -'data.pkl'.length);
  const order = archive.members.has(`${prefix}byteorder`)
    ? new TextDecoder().decode(archive.read(`${prefix}byteorder`, 16)).trim()
    : 'little';
  if (order !== 'little' && order !== 'big') throw new DamagedFile(`its byte order is “${order}”`);

  const storages = new Map<string, TorchStorage>();
  function storage(id: unknown): TorchStorage {
    const [kind, type, key, , length] = Array.isArray(id) ? id : [];
    if (kind !== 'storage' || !(type instanceof StorageClass) || typeof key !== 'string' || !isCount(length))
      throw new DamagedFile('its pickle refers to something that is no storage');
    const dtype = type.dtype ?? 'U8';
    const known = storages.get(key);
    if (known && known.dtype === dtype) return known;
    const width = elementTypes[dtype].bytes;
    const { begin, size } = archive.locate(`${prefix}data/${key}`);
    if (size !== length * width)
      throw new DamagedFile(`storage ${key} has ${size} bytes instead of ${length * width}`);
    const made: TorchStorage = {
      dtype,
      length,
      read(from, to) {
        const bytes =
          from === 0 && to === length
            ? archive.read(`${prefix}data/${key}`, size)
            : file.read(begin + from * width, (to - from) * width);
        return order === 'big' ? swapBytes(bytes, width) : bytes;
      },
    };
    storages.set(key, made);
    return made;
  }
  return unpickle(archive.read(pickle, maxPickleBytes), 0, torchGlobals(name, storage)).value;
}

import { crc32 } from 'node:zlib';
import { DamagedFile, type FileBytes } from './file-bytes.ts';

/** A member that is stored as it is. */
interface Member {
  name: string;
  size: number;
  crc: number;
  /** Where its local header begins. */
  header: number;
  method: number;
}

/**
 * The members of a zip archive, ZIP64 included. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * Nothing is unpacked: members are read where they are, so only stored ones are (PyTorch compresses none), and no member can
 * be larger than the archive. Names that lead out of a folder, and names that stand twice, are refused.
 */
export class ZipArchive {
  readonly members: ReadonlyMap<string, Member>;
  #file: FileBytes;

  /** Throws `DamagedFile`. */
  constructor(file: FileBytes) {
    this.#file = file;
    this.members = readDirectory(file);
  }

  /** Where a member's bytes begin. Throws `DamagedFile`. */
  locate(name: string): { begin: number; size: number } {
    const member = this.members.get(name);
    if (!member) throw new DamagedFile(`it has no member ${name}`);
    if (member.method !== 0)
      throw new DamagedFile(`its member ${name} is compressed, which PyTorch’s own files are not`);
    const local = view(this.#file.read(member.header, 30));
    if (local.getUint32(0, true) !== 0x04034b50)
      throw new DamagedFile(`its member ${name} is not where it should be`);
    const begin = member.header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    return { begin, size: member.size };
  }

  /** A whole member of at most `limit` bytes, checked against its checksum. Throws `DamagedFile`. */
  read(name: string, limit: number): Uint8Array<ArrayBuffer> {
    const { begin, size } = this.locate(name);
    if (size > limit) throw new DamagedFile(`its member ${name} has ${size} bytes, more than ${limit}`);
    const bytes = this.#file.read(begin, size);
    if (crc32(bytes) !== this.members.get(name)!.crc)
      throw new DamagedFile(`its member ${name} has changed since it was written`);
    return bytes;
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const maxDirectoryBytes = 64 * 2 ** 20;

/** Place, length and entries of the central directory, from the record at the end. */
function findDirectory(file: FileBytes): { offset: number; length: number; count: number } {
  const tailLength = Math.min(file.size, 22 + 0xffff);
  const tail = file.read(file.size - tailLength, tailLength);
  const at = Buffer.from(tail.buffer).lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at < 0 || at + 22 > tail.length) throw new DamagedFile('its end is missing: it is cut off');
  const end = view(tail.subarray(at));
  const [count, length, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  if (count !== 0xffff && length !== 0xffffffff && offset !== 0xffffffff) return { offset, length, count };
  const locator = file.size - tailLength + at - 20;
  const pointer = view(file.read(locator, 20));
  if (pointer.getUint32(0, true) !== 0x07064b50) throw new DamagedFile('its ZIP64 record is missing');
  const record = view(file.read(Number(pointer.getBigUint64(8, true)), 56));
  if (record.getUint32(0, true) !== 0x06064b50)
    throw new DamagedFile('its ZIP64 record is not where it should be');
  return {
    count: Number(record.getBigUint64(32, true)),
    length: Number(record.getBigUint64(40, true)),
    offset: Number(record.getBigUint64(48, true)),
  };
}

function readDirectory(file: FileBytes): Map<string, Member> {
  const { offset, length, count } = findDirectory(file);
  if (length > maxDirectoryBytes) throw new DamagedFile('its index is larger than any checkpoint’s');
  const bytes = file.read(offset, length);
  const data = view(bytes);
  const members = new Map<string, Member>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || data.getUint32(at, true) !== 0x02014b50)
      throw new DamagedFile('its index is damaged');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      data.getUint16(at + field, true),
    );
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > length) throw new DamagedFile('its index is damaged');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(name))
      throw new DamagedFile(`its member ${JSON.stringify(name)} leads out of it`);
    if (members.has(name)) throw new DamagedFile(`its member ${name} stands twice`);
    const extra = zip64(data, at + 46 + nameLength, extraLength, [
      data.getUint32(at + 24, true),
      data.getUint32(at + 20, true),
      data.getUint32(at + 42, true),
    ]);
    const [size, , header] = extra;
    members.set(name, {
      name,
      size,
      header,
      crc: data.getUint32(at + 16, true),
      method: data.getUint16(at + 10, true),
    });
    at = end;
  }
  return members;
}

/** Size, packed size and place of a member; those that do not fit 32 bits stand in its ZIP64 extra field, in this order. */
function zip64(data: DataView, start: number, length: number, values: number[]): number[] {
  for (let at = start; at + 4 <= start + length; ) {
    const [id, size] = [data.getUint16(at, true), data.getUint16(at + 2, true)];
    if (id === 1) {
      let field = at + 4;
      return values.map((value) => {
        if (value !== 0xffffffff || field + 8 > Math.min(at + 4 + size, data.byteLength)) return value;
        field += 8;
        return Number(data.getBigUint64(field - 8, true));
      });
    }
    at += 4 + size;
  }
  return values;
}

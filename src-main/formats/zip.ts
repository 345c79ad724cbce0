import { crc32 } from 'node:zlib';
import { DamagedFile, type FileBytes } from './file-bytes.ts';

export interface ZipMember {
  name: string;
  /** Once inflated. */
  size: number;
  /** In the archive. */
  packed: number;
  crc: number;
  /** Where its local header begins. */
  header: number;
  /** How it is packed: 0 stored, 8 deflated. */
  method: number;
  encrypted: boolean;
}

/**
 * The members of a zip archive, ZIP64 included. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * Nothing is unpacked: members are read where they are, so `read` reads stored ones only (PyTorch compresses none), and none
 * that is larger than the archive. Names that lead out of a folder, and names that stand twice, are refused.
 */
export class ZipArchive {
  readonly members: ReadonlyMap<string, ZipMember>;
  #file: FileBytes;

  /** `maxIndexBytes` bounds what is read of its directory. Throws `DamagedFile`. */
  constructor(file: FileBytes, maxIndexBytes = 64 * 2 ** 20) {
    this.#file = file;
    this.members = readDirectory(file, maxIndexBytes);
  }

  /** Where a stored member's bytes begin. Throws `DamagedFile`. */
  locate(name: string): { begin: number; size: number } {
    const member = this.members.get(name);
    if (!member) throw new DamagedFile(`it has no member ${name}`);
    if (member.method !== 0)
      throw new DamagedFile(`its member ${name} is compressed, which PyTorch’s own files are not`);
    return { begin: this.beginOf(member), size: member.size };
  }

  /** Where a member's bytes begin, packed as they are. Throws `DamagedFile`. */
  beginOf({ name, header, packed }: ZipMember): number {
    const local = view(this.#file.read(header, 30));
    if (local.getUint32(0, true) !== 0x04034b50)
      throw new DamagedFile(`its member ${name} is not where it should be`);
    const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (begin + packed > this.#file.size) throw new DamagedFile(`its member ${name} lies beyond its end`);
    return begin;
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

function readDirectory(file: FileBytes, maxIndexBytes: number): Map<string, ZipMember> {
  const { offset, length, count } = findDirectory(file);
  if (length > maxIndexBytes)
    throw new DamagedFile(
      `its index has ${Math.round(length / 2 ** 20)} MiB: at most ${maxIndexBytes / 2 ** 20} are read`,
    );
  const bytes = file.read(offset, length);
  const data = view(bytes);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || data.getUint32(at, true) !== 0x02014b50)
      throw new DamagedFile('its index is damaged');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      data.getUint16(at + field, true),
    );
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > length) throw new DamagedFile('its index is damaged');
    const name = memberName(bytes.subarray(at + 46, at + 46 + nameLength));
    if (/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(name))
      throw new DamagedFile(`its member ${JSON.stringify(name)} leads out of it`);
    if (members.has(name)) throw new DamagedFile(`its member ${name} stands twice`);
    const extra = zip64(data, at + 46 + nameLength, extraLength, [
      data.getUint32(at + 24, true),
      data.getUint32(at + 20, true),
      data.getUint32(at + 42, true),
    ]);
    const [size, packed, header] = extra;
    members.set(name, {
      name,
      size,
      packed,
      header,
      crc: data.getUint32(at + 16, true),
      method: data.getUint16(at + 10, true),
      encrypted: (data.getUint16(at + 8, true) & 1) === 1,
    });
    at = end;
  }
  return members;
}

/** Upper half of code page 437, in which names are written that are not UTF-8. */
const codePage437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** Many programs write UTF-8 without the flag that says so: what can be UTF-8 is. */
function memberName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) =>
      byte < 128 ? String.fromCharCode(byte) : codePage437[byte - 128],
    ).join('');
  }
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

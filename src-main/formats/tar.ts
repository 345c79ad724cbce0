import { DamagedFile, type FileBytes } from './file-bytes.ts';

export interface TarMember {
  /** As it stands in the archive: whoever uses it looks where it leads. */
  name: string;
  type: 'file' | 'folder' | 'link' | 'other';
  /** Of a hard link: the name of the member before it that it is the same file as. */
  same?: string;
  /** Where its bytes begin. */
  begin: number;
  size: number;
}

const block = 512;
/** What stands for a name that is too long for its field is no longer than this. */
const maxNameBytes = 2 ** 20;

/**
 * The members of a tar archive in their order: POSIX ustar and pax, and GNU's long names and sizes.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, https://www.gnu.org/software/tar/manual/html_node/Standard.html
 * Throws `DamagedFile` where it is none, or is cut off.
 */
export function* tarMembers(file: FileBytes): Generator<TarMember> {
  let given: PaxFields = {};
  for (let at = 0; at + block <= file.size; ) {
    const header = Buffer.from(file.read(at, block).buffer);
    if (header.every((byte) => byte === 0)) return;
    if (!isHeader(header)) throw new DamagedFile(`there is no header at byte ${at}, where one should be`);
    const type = String.fromCharCode(header[156]);
    // What some programs write as the size of a link is that of the file it leads to: nothing follows.
    const size = type === '1' || type === '2' ? 0 : (given.size ?? numberAt(header, 124, 12));
    const begin = at + block;
    const next = begin + Math.ceil(size / block) * block;
    if (begin + size > file.size)
      throw new DamagedFile(
        `it ends at byte ${file.size}, within ${JSON.stringify(given.path ?? nameIn(header))}: it is cut off`,
      );
    at = next;
    // What says more about the next member, or about all.
    if (type === 'x' || type === 'L' || type === 'K') {
      if (size > maxNameBytes) throw new DamagedFile(`a name has ${size} bytes`);
      const bytes = Buffer.from(file.read(begin, size).buffer);
      const said = type === 'x' ? paxFields(bytes) : { [type === 'L' ? 'path' : 'linkpath']: textOf(bytes) };
      given = { ...given, ...said };
      continue;
    }
    if (type === 'g') continue;
    const same = type === '1' ? (given.linkpath ?? textOf(header.subarray(157, 257))) : undefined;
    const name = given.path ?? nameIn(header);
    yield { name, type: typeOf(type), begin, size, ...(same !== undefined && { same }) };
    given = {};
  }
}

function typeOf(flag: string): TarMember['type'] {
  if (flag === '0' || flag === '\0' || flag === '7') return 'file';
  if (flag === '5') return 'folder';
  return flag === '1' || flag === '2' ? 'link' : 'other';
}

const textOf = (bytes: Buffer): string => {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
};

function nameIn(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or GNU's bytes behind a first one of 0x80. */
function numberAt(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  const value =
    field[0] === 0x80
      ? Number(BigInt(`0x${field.toString('hex', 1)}`))
      : Number.parseInt(textOf(field).trim() || '0', 8);
  if (!Number.isSafeInteger(value) || value < 0) throw new DamagedFile('one of its members has no size');
  return value;
}

/** Whether the sum of the bytes is what the header says, its own field taken as blanks. */
function isHeader(header: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 32 : header[at];
  return sum === Number.parseInt(textOf(header.subarray(148, 156)).trim(), 8);
}

interface PaxFields {
  path?: string;
  linkpath?: string;
  size?: number;
}

/** Records `LENGTH KEY=VALUE\n`. */
function paxFields(bytes: Buffer): PaxFields {
  const fields: PaxFields = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const length = Number(bytes.toString('latin1', at, blank));
    if (blank < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > bytes.length)
      throw new DamagedFile('what it says about a member is damaged');
    const [key, value] = splitOnce(bytes.toString('utf8', blank + 1, at + length - 1));
    if (key === 'path' || key === 'linkpath') fields[key] = value;
    if (key === 'size') fields.size = Number(value);
    if (fields.size !== undefined && (!Number.isSafeInteger(fields.size) || fields.size < 0))
      throw new DamagedFile('one of its members has no size');
    at += length;
  }
  return fields;
}

function splitOnce(text: string): [string, string] {
  const cut = text.indexOf('=');
  return [text.slice(0, cut), text.slice(cut + 1)];
}

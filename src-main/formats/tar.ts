import { DamagedFile, type FileBytes } from './file-bytes.ts';

export interface TarMember {
  /** As it stands in the archive: whoever uses it looks where it leads. */
  name: string;
  type: 'file' | 'folder' | 'link' | 'other';
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
  let given: { path?: string; size?: number } = {};
  for (let at = 0; at + block <= file.size; ) {
    const header = Buffer.from(file.read(at, block).buffer);
    if (header.every((byte) => byte === 0)) return;
    if (!isHeader(header)) throw new DamagedFile(`there is no header at byte ${at}, where one should be`);
    const size = given.size ?? numberAt(header, 124, 12);
    const begin = at + block;
    const next = begin + Math.ceil(size / block) * block;
    if (begin + size > file.size)
      throw new DamagedFile(
        `it ends at byte ${file.size}, within ${JSON.stringify(given.path ?? nameIn(header))}: it is cut off`,
      );
    const type = String.fromCharCode(header[156]);
    at = next;
    // What says more about the next member, or about all.
    if (type === 'x' || type === 'L') {
      if (size > maxNameBytes) throw new DamagedFile(`a name has ${size} bytes`);
      const bytes = Buffer.from(file.read(begin, size).buffer);
      given = { ...given, ...(type === 'x' ? paxFields(bytes) : { path: textOf(bytes) }) };
      continue;
    }
    if (type === 'g' || type === 'K') continue;
    yield { name: given.path ?? nameIn(header), type: typeOf(type), begin, size };
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

/** Records `LENGTH KEY=VALUE\n`. */
function paxFields(bytes: Buffer): { path?: string; size?: number } {
  const fields: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const length = Number(bytes.toString('latin1', at, blank));
    if (blank < 0 || !Number.isSafeInteger(length) || length < 5 || at + length > bytes.length)
      throw new DamagedFile('what it says about a member is damaged');
    const [key, value] = splitOnce(bytes.toString('utf8', blank + 1, at + length - 1));
    if (key === 'path') fields.path = value;
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

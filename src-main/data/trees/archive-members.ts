import { posix } from 'node:path';
import { DamagedFile, type FileBytes } from '../../formats/file-bytes.ts';
import { tarMembers } from '../../formats/tar.ts';
import { ZipArchive } from '../../formats/zip.ts';
import type { RangePart } from '../locator.ts';
import { isCountedFile, isCountedFolder } from './counted-names.ts';

/** A file inside an archive: where in the archive's content it is, the member before it that is the same file, or why it is not read. */
export interface ArchiveMember {
  path: string;
  bytes: number;
  found: RangePart | { same: string } | { refused: string };
}

const maxIndexBytes = 2 ** 28;
/** More members than any dataset has: bounds the memory. */
const maxMembers = 4_000_000;

/**
 * The files of an archive that count, by its content: tar or zip. Nothing is unpacked. Throws `DamagedFile` where it is
 * neither, is damaged or cut off, or where a name in it leads out of it: then nothing of it is to be trusted.
 */
export function* archiveMembers(file: FileBytes): Generator<ArchiveMember> {
  let count = 0;
  for (const member of isZip(file) ? zipMembers(file) : tarFiles(file)) {
    if (++count > maxMembers) throw new DamagedFile(`it has more than ${maxMembers / 1e6} million members`);
    const names = member.path.split('/');
    if (names.slice(0, -1).every(isCountedFolder) && isCountedFile(names.at(-1)!)) yield member;
  }
}

function isZip(file: FileBytes): boolean {
  const first = Buffer.from(file.read(0, Math.min(4, file.size))).toString('latin1');
  return first === 'PK\x03\x04' || first === 'PK\x05\x06';
}

function* tarFiles(file: FileBytes): Generator<ArchiveMember> {
  for (const { name, type, begin, size, same } of tarMembers(file)) {
    const path = safePath(name);
    if (type === 'folder' || path === '') continue;
    yield { path, bytes: size, found: tarPart() };

    function tarPart(): ArchiveMember['found'] {
      if (type === 'file') return { kind: 'range', offset: begin, bytes: size };
      if (same !== undefined) return { same: safePath(same) };
      return {
        refused: type === 'link' ? 'it is a link, and those in archives are not followed' : 'it is no file',
      };
    }
  }
}

function* zipMembers(file: FileBytes): Generator<ArchiveMember> {
  const archive = new ZipArchive(file, maxIndexBytes);
  for (const member of archive.members.values()) {
    // Old programs of Windows write backslashes.
    const name = member.name.replaceAll('\\', '/');
    const path = safePath(name);
    if (name.endsWith('/') || path === '') continue;
    yield { path, bytes: member.size, found: zipPart() };

    function zipPart(): ArchiveMember['found'] {
      const { method, encrypted, size, packed } = member;
      if (encrypted) return { refused: 'it is encrypted' };
      if (method !== 0 && method !== 8)
        return { refused: `it is compressed in a way that is not read (method ${method})` };
      if (method === 0 && packed !== size) return { refused: 'it is stored, and has two sizes' };
      const offset = archive.beginOf(member);
      return { kind: 'range', offset, bytes: packed, ...(method === 8 && { deflated: { bytes: size } }) };
    }
  }
}

/** A member's path below the archive. Throws `DamagedFile` where it leads elsewhere. */
function safePath(name: string): string {
  const leaves =
    /^[/\\]|^[A-Za-z]:|:\/\/|(^|[/\\])\.\.([/\\]|$)|\0/.test(name) || posix.normalize(name).startsWith('..');
  if (leaves) throw new DamagedFile(`its member ${JSON.stringify(name)} leads out of it`);
  const path = posix.normalize(name);
  return path === '.' ? '' : path.replace(/\/$/, '');
}

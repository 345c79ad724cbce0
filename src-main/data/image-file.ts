import { constants, open } from 'node:fs/promises';
import { ImageProblem } from './image.ts';

const maxBytes = 1024 * 2 ** 20;

/**
 * Reads an image file's bytes.
 * @throws ImageProblem for an empty, gigantic or special file; system errors (ENOENT, EACCES) pass through.
 */
export async function readImageFile(path: string): Promise<Buffer> {
  // Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new ImageProblem('unsupported', 'it is not a regular file');
    if (facts.size === 0) throw new ImageProblem('empty', 'the file is empty (0 bytes)');
    if (facts.size > maxBytes) {
      throw new ImageProblem('huge', `the file has ${Math.round(facts.size / 2 ** 20)} MiB (at most 1024)`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

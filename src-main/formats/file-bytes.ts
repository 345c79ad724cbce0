import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Thrown where a file is not what its format says; the message is half a sentence: «its index lies beyond its end». */
export class DamagedFile extends Error {}

/** Bytes of a file, or of a piece of it, at any place. The file is open only while something is read, so that nothing has to be closed. */
export class FileBytes {
  readonly path: string;
  readonly size: number;
  #begin: number;

  /** `piece` lies within the file. */
  constructor(path: string, piece?: { begin: number; size: number }) {
    this.path = path;
    this.#begin = piece?.begin ?? 0;
    this.size = piece?.size ?? this.#with((file) => fstatSync(file).size);
  }

  /** Exactly `length` bytes, in a buffer of their own. Throws `DamagedFile` where the file is shorter. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
      throw new DamagedFile('it names a place that no file has');
    if (offset + length > this.size)
      throw new DamagedFile(
        `it ends at byte ${this.size}, and should reach ${offset + length}: it is cut off`,
      );
    return this.#with((file) => {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const count = readSync(
          file,
          bytes,
          done,
          Math.min(length - done, 2 ** 30),
          this.#begin + offset + done,
        );
        if (count === 0) throw new DamagedFile('it ended while being read');
        done += count;
      }
      return bytes;
    });
  }

  #with<T>(work: (file: number) => T): T {
    const file = openSync(this.path, 'r');
    try {
      return work(file);
    } finally {
      closeSync(file);
    }
  }
}

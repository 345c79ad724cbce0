import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Relationship } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { csvLine } from '../formats/csv.ts';
import { writeNpy } from '../formats/npy.ts';

type Format = '.npy' | '.csv' | '.json';

/** The format that a file's name asks for. Errors: `bad-input` where it asks for none of them. */
export function matrixFormat(path: string): Format {
  const extension = extname(path).toLowerCase();
  if (extension === '.npy' || extension === '.csv' || extension === '.json') return extension;
  throw new CotuneError(
    'bad-input',
    `--out ${path} does not say which format to write.`,
    'Let its name end in .npy, .csv or .json.',
  );
}

/**
 * Writes a relationship matrix [targets, sources]: `.npy` float32, `.csv` with class names as header and first
 * column, `.json` with names and rows. Errors: `failed` where the file cannot be written.
 */
export async function writeMatrix(
  path: string,
  format: Format,
  relationship: Relationship,
  { targets, sources, values }: { targets: number; sources: number; values: readonly number[] },
): Promise<void> {
  const { targetClasses, sourceClasses } = relationship;
  const rows = Array.from({ length: targets }, (_, target) =>
    values.slice(target * sources, (target + 1) * sources),
  );
  const cells = [['', ...sourceClasses], ...rows.map((row, target) => [targetClasses[target], ...row])];
  const write = {
    '.npy': (file: string) =>
      writeFile(file, writeNpy({ shape: [targets, sources], data: Float32Array.from(values) })),
    '.csv': (file: string) => writeFile(file, cells.map(csvLine).join('')),
    '.json': (file: string) =>
      writeFile(
        file,
        `${JSON.stringify({ targets: targetClasses, sources: sourceClasses, matrix: rows })}\n`,
      ),
  };
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await write[format](temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new CotuneError(
      'failed',
      `${path} cannot be written: ${(error as Error).message}.`,
      'Check that its folder exists and can be written.',
      { cause: error },
    );
  }
}

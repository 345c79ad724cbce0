import { extname } from 'node:path';
import { csvLine } from '../../src-shared/csv.ts';
import type { Relationship } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { writeNpy } from '../formats/npy.ts';
import { writeWhole } from '../formats/write-whole.ts';

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
 * column, `.json` with names and rows. Errors: `unavailable` where the file cannot be written.
 */
export function writeMatrix(
  path: string,
  format: Format,
  relationship: Relationship,
  { targets, sources, values }: { targets: number; sources: number; values: readonly number[] },
): void {
  const { targetClasses, sourceClasses } = relationship;
  const rows = Array.from({ length: targets }, (_, target) =>
    values.slice(target * sources, (target + 1) * sources),
  );
  const cells = [['', ...sourceClasses], ...rows.map((row, target) => [targetClasses[target], ...row])];
  const encode: Record<Format, () => Uint8Array> = {
    '.npy': () => writeNpy({ shape: [targets, sources], data: Float32Array.from(values) }),
    '.csv': () => Buffer.from(cells.map(csvLine).join('')),
    '.json': () =>
      Buffer.from(`${JSON.stringify({ targets: targetClasses, sources: sourceClasses, matrix: rows })}\n`),
  };
  writeWhole(path, [encode[format]()]);
}

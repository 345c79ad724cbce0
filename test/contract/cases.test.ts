/**
 * Real inputs that went wrong, kept beside the repository: one row a case, with what is right. Each kind is also held by
 * tests of its own with inputs that they make; a case that was not given along is skipped by name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importFolder } from '../../src-main/data/import-folder.ts';
import { csvLine } from '../../src-main/formats/csv.ts';
import { sharedPath } from '../shared-folder.ts';

const imported = (folder: string) => importFolder(folder, { seed: 0 });

/** Case, what is right, and the check of it on the case's folder. */
const cases: [name: string, right: string, check: (folder: string) => Promise<void>][] = [
  [
    'jpeg-hole',
    'damage that training would refuse is a finding of the import',
    async (folder) => {
      const { issues, samples } = await imported(join(folder, 'data'));
      expect(issues.map(({ kind, path }) => [kind, path])).toEqual([
        ['broken', 'b/lostblock4k.jpg'],
        ['broken', 'b/zerohole0.jpg'],
      ]);
      expect(samples).toHaveLength(23);
    },
  ],
  [
    'csv-apostrophe',
    'class names in tables are those of the folders, in every column',
    async (folder) => {
      const { classes, samples } = await imported(folder);
      expect(classes).toEqual(['+1', '-5']);
      expect(csvLine([samples[0].path, ...classes, ...classes.map((name) => `p(${name})`)])).toBe(
        '+1/i0.jpg,+1,-5,p(+1),p(-5)\n',
      );
      expect(readFileSync(join(folder, 'weird.csv'), 'utf8')).toContain("'+1");
    },
  ],
];

for (const [name, right, check] of cases) {
  test(`${name}: ${right}`, async (ctx) => {
    const folder = sharedPath(`cases/${name}`);
    if (!folder) return ctx.skip(`the case ${name} was not given along`);
    await check(folder);
  });
}

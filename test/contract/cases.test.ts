/**
 * Real inputs that went wrong, kept beside the repository: one row a case, with what is right. Each kind is also held by
 * tests of its own with inputs that they make; a case that was not given along is skipped by name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { classFindings } from '../../src-main/data/class-findings.ts';
import { countClasses } from '../../src-main/data/count-classes.ts';
import { decodeTo, openImage } from '../../src-main/data/decode.ts';
import type { ImportedImages } from '../../src-main/data/import-images.ts';
import { placeOfFile } from '../../src-main/data/locator.ts';
import { readLocated } from '../../src-main/data/read-located.ts';
import { classList } from '../../src-main/formats/class-names/class-list.ts';
import { fitClasses } from '../../src-main/formats/class-names/read-class-file.ts';
import { recognizeWeights } from '../../src-main/formats/weights/recognize.ts';
import { csvLine } from '../../src-shared/csv.ts';
import { evaluate } from '../../src-shared/metrics.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { sharedPath } from '../shared-folder.ts';
import { importFolder } from '../unit/import-in-process.ts';

const splitsOf = ({ samples }: ImportedImages) =>
  Object.fromEntries(
    ['train', 'val', 'test'].map((split) => [split, samples.filter((one) => one.split === split).length]),
  );
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
    'split-names',
    'folders named like splits are splits; what is unclear is said, with how to say otherwise',
    async (folder) => {
      const intel = await imported(join(folder, 'intel-seg_train-seg_test'));
      expect(intel.classes).toEqual(['buildings', 'forest', 'sea']);
      expect(splitsOf(intel)).toEqual({ train: 18, val: 0, test: 9 });
      expect(intel.notes.join('\n')).toContain('seg_pred holds 5 images without a label');
      expect(intel.notes.join('\n')).toContain('seg_train (training), seg_test (test)');

      const levels = await imported(join(folder, 'nested-two-levels'));
      expect(levels.classes).toEqual(['animals', 'plants']);
      expect(levels.notes.join('\n')).toContain('--classes-at 2');
      const inner = await importFolder(join(folder, 'nested-two-levels'), {
        seed: 0,
        layout: { splits: 'names', classesAt: 2 },
      });
      expect(inner.classes).toEqual(['cats', 'dogs', 'roses', 'tulips']);

      await expect(imported(join(folder, 'kaggle-flat-train-test-csv'))).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining('train.csv'),
        hint: expect.stringContaining('--no-splits'),
      });
    },
  ],
  [
    'test-unknown',
    'test images without a label are no class',
    async (folder) => {
      const found = await imported(folder);
      expect(found.classes).toEqual(['a', 'b', 'c']);
      expect(found.notes).toHaveLength(1);
      expect(found.notes[0]).toContain('test/unknown holds 5 images without a label');
      expect(found.notes[0]).toContain('a fifth of each class');
    },
  ],
  [
    'val-flat',
    'images beside class folders have no label: one note that is true',
    async (folder) => {
      const { notes, issues, samples } = await imported(folder);
      expect(notes).toHaveLength(1);
      expect(notes[0]).toContain('val holds 4 images without a label');
      expect(issues).toEqual([]);
      expect(samples).toHaveLength(12);
    },
  ],
  [
    'empty-class',
    'an empty class folder is noted, and so is a class that a dot hides',
    async (folder) => {
      const dotted = await imported(join(folder, 'dot-class'));
      expect(dotted.classes).toEqual(['.net', 'java', 'php']);
      expect(dotted.notes.join('\n')).toContain('.net is hidden');
    },
  ],
  [
    'class-without-train',
    'a class in the test split only is found by its name',
    async (folder) => {
      const { classes, samples } = await imported(join(folder, 'data'));
      expect(classes).toEqual(['a', 'b', 'c', 'd']);
      const task = 'image-classification';
      const missing = classFindings({ classes, task, ...countClasses(samples, classes) });
      expect(missing).toContainEqual(
        expect.objectContaining({ path: 'd', detail: expect.stringContaining('no training image') }),
      );
    },
  ],
  [
    'absent-test-class',
    'averages are over classes that occur, and a class without test images has no recall',
    async (folder) => {
      const { classes, samples } = await imported(join(folder, 'data'));
      const labels = samples.filter(({ split }) => split === 'test').map(({ label }) => label);
      expect(new Set(labels).size).toBe(1);
      const right = labels.flatMap((label) => classes.map((_, k) => Number(k === label)));
      const {
        accuracy,
        macroF1,
        classes: scores,
      } = evaluate(
        { labels, ...predictionColumns(Float64Array.from(right), labels, classes.length) },
        classes,
        'test',
      );
      expect({ accuracy, macroF1 }).toEqual({ accuracy: 1, macroF1: 1 });
      expect(scores.map(({ recall }) => recall)).toEqual([1, null, null]);
    },
  ],
  [
    'deep-tiff',
    'more than 8 bits, floating point and a fourth channel: the picture, and how it was read',
    async (folder) => {
      const reference = sharp(join(folder, 'ref.png'));
      const color = await reference.clone().raw().toBuffer();
      const levels = await reference.clone().grayscale().raw().toBuffer();
      const gray = color.map((_, at) => levels[Math.floor(at / 3)]);
      const picture = async (name: string) => {
        const image = await openImage(await readLocated(placeOfFile(join(folder, name))));
        const { data } = await decodeTo(image, image.width, image.height, 'exact');
        const truth = name.startsWith('rgb') ? color : gray;
        const error = data.reduce((sum, value, at) => sum + Math.abs(value - truth[at]), 0) / data.length;
        return { error, reading: image.reading };
      };
      // The gray ones were made by another formula, and with fewer steps, than the reference's gray.
      const float = await picture('float01.tif');
      expect(float.error).toBeLessThan(3);
      expect(float.reading).toContain('floating-point');
      const twelve = await picture('g12in16.png');
      expect(twelve.error).toBeLessThan(3);
      expect(twelve.reading).toContain('12 bits');
      const infrared = await picture('rgbn4_unspec.tif');
      expect(infrared.error).toBe(0);
      expect(infrared.reading).toContain('4 channels');
    },
  ],
  [
    'class-files',
    'names are read right whatever the encoding and the form, or the file and line are named',
    async (folder) => {
      const { names: right } = classList('imagenet-1k');
      for (const name of 'c_bom.txt c_quotes.txt c_utf16.txt c_ws.txt class_index.json list.json'.split(' '))
        expect(classList(join(folder, name)).names, name).toEqual(right);
      expect(classList(join(folder, 'c_latin1.txt')).names).toEqual([...right.slice(0, 999), 'café']);
      const blank = classList(join(folder, 'c_blank_eq.txt'));
      expect(() => fitClasses(blank, 1000, 'it')).toThrow(
        /c_blank_eq.txt has 999 class names.*line 500 is blank/,
      );
    },
  ],
  [
    'weights',
    'what is no network is called what it is, with what to do',
    async (folder) => {
      expect(() => recognizeWeights(join(folder, 'html.safetensors'))).toThrow('web page');
      expect(() => recognizeWeights(join(folder, 'lfs.safetensors'))).toThrow('git-lfs pointer');
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

import { expect, test } from 'vitest';
import { applyEdits, type EditAction, type ImportedImage } from '../../src-main/data/apply-edits.ts';
import { imageClassification } from '../../src-shared/tasks/image-classification.ts';

const classes = ['bee', 'Bee', 'wasp'];
const imported: ImportedImage[] = ['bee/1', 'bee/2', 'Bee/3', 'wasp/4'].map((path, id) => ({
  id,
  path,
  hash: `content of ${path}`,
  label: classes.indexOf(path.split('/')[0]),
  split: 'train',
}));

let ids = 0;
const ofImage = (action: EditAction['action'], target: string, after: string | null = null): EditAction => ({
  id: ++ids,
  action,
  target,
  hash: `content of ${target}`,
  after,
});
const ofClass = (action: 'merge' | 'rename', target: string, after: string): EditAction => ({
  id: ++ids,
  action,
  target,
  hash: null,
  after,
});
const after = (...edits: EditAction[]) => {
  const { classes: names, images, ...rest } = applyEdits(classes, imported, edits, imageClassification);
  return {
    ...rest,
    images: images.map(({ label, split, excluded }) => (excluded ? 'out' : `${names[label]} ${split}`)),
  };
};

test('each edit sees what those before it left', () => {
  const edits = [
    ofImage('relabel', 'bee/1', 'wasp'),
    ofClass('merge', 'Bee', 'bee'),
    ofClass('rename', 'bee', 'honeybee'),
    ofImage('move', 'bee/2', 'test'),
    ofClass('rename', 'wasp', 'bee'),
  ];
  const { images, problems } = after(...edits);
  expect(images).toEqual(['bee train', 'honeybee test', 'honeybee train', 'bee train']);
  expect(problems.size).toBe(0);
});

test('a class goes with its last image, and comes with its first', () => {
  const { images, classes: left } = applyEdits(
    classes,
    imported,
    [ofImage('exclude', 'wasp/4'), ofImage('relabel', 'Bee/3', 'hornet')],
    imageClassification,
  );
  expect(left).toEqual(['bee', 'hornet']);
  expect(images.map(({ label }) => label)).toEqual([0, 0, 1, -1]);
});

test('an edit whose image or class is not what it was changes nothing and says so', () => {
  const edits = [
    { ...ofImage('exclude', 'bee/1'), hash: 'other content' },
    ofImage('exclude', 'bee/9'),
    ofClass('merge', 'hornet', 'bee'),
    ofClass('rename', 'bee', 'wasp'),
  ];
  const { images, problems, hash } = after(...edits);
  expect(images).toEqual(after().images);
  expect(edits.map(({ id }) => problems.get(id))).toEqual([
    'another image is there now',
    'the image is no longer there',
    'there is no class hornet any more',
    'there is a class wasp already',
  ]);
  expect(hash).toBeNull();
});

test('the hash is of the edits that change something', () => {
  const exclude = ofImage('exclude', 'bee/1');
  const keep = { ...ofImage('keep', 'bee/2') };
  expect(after(keep).hash).toBeNull();
  expect(after(exclude).hash).toMatch(/^[0-9a-f]{64}$/);
  expect(after(exclude, keep).hash).toBe(after(exclude).hash);
  expect(after(ofImage('exclude', 'bee/2')).hash).not.toBe(after(exclude).hash);
});

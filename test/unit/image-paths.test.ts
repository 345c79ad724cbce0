import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imagePaths } from '../../src-main/service/image-paths.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';

test('a folder to predict stands for its images, and one without any is said', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'new/b.jpg': '',
    'new/a.PNG': '',
    'new/in/c.mpo': '',
    'new/x.txt': '',
    'none/x.txt': '',
  });
  const [file, gone] = [join(folder, 'new/b.jpg'), join(folder, 'gone.jpg')];
  expect(await imagePaths([file, join(folder, 'new'), gone])).toEqual([
    file,
    ...['a.PNG', 'b.jpg', 'in/c.mpo'].map((name) => join(folder, 'new', name)),
    gone,
  ]);
  await expect(imagePaths([join(folder, 'none')])).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('holds no image'),
  });
  await expect(imagePaths([' '])).rejects.toMatchObject({ code: 'bad-input' });
});

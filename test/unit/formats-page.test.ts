import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { page, pagePath } from '../../resources/scripts/formats-page.ts';
import { datasetFormats } from '../../src-main/data/formats/index.ts';

test('docs/formats.md says what the formats say of themselves: `npm run docs` makes it anew', () => {
  expect(readFileSync(pagePath, 'utf8')).toBe(page());
});

test('every format is held by a test', () => {
  expect(page().match(/^- Held by: /gm)).toHaveLength(datasetFormats.length);
});

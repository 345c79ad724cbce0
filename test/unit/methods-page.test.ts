import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { page, pagePath } from '../../resources/scripts/methods-page.ts';

test('docs/methods.md says what the parts say of themselves: `npm run docs` makes it anew', () => {
  expect(readFileSync(pagePath, 'utf8')).toBe(page());
});

import { expect, test } from 'vitest';
import { table } from '../../src-main/cli/text.ts';
import { visible, visibleOnOneLine } from '../../src-main/cli/visible.ts';

test('what a terminal would obey is shown as what it is; line ends and everything else stay', () => {
  expect(visible('a\u001b[31mred\u0007\u009b2J\tb\r\nc')).toBe('a\\u001b[31mred\\u0007\\u009b2J\\tb\\r\nc');
  expect(visible('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe');
  expect(visible('Écureuil 松鼠 🐿️ — ½')).toBe('Écureuil 松鼠 🐿️ — ½');
  expect(visibleOnOneLine('new\nline')).toBe('new\\nline');
});

test('a name with a line end takes one line of a table', () => {
  const text = table([{ title: 'class' }, { title: 'images', align: 'right' }], [['new\nline', '3']]);
  expect(text.split('\n').map((line) => line.trimEnd())).toEqual([
    'class      images',
    '─────────  ──────',
    'new\\nline       3',
  ]);
});

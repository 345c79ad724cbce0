import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { classList } from '../../src-main/formats/class-names/class-list.ts';
import { fitClasses, readClassFile } from '../../src-main/formats/class-names/read-class-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-classes-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
function file(content: string | Uint8Array, extension = 'txt'): string {
  const path = join(folder, `${count++}.${extension}`);
  writeFileSync(path, content);
  return path;
}
const read = (content: string | Uint8Array, extension?: string): string[] =>
  readClassFile(file(content, extension)).names;
const refusal = (content: string | Uint8Array, extension?: string): string => {
  const path = file(content, extension);
  try {
    const { names } = readClassFile(path);
    throw new Error(`was read as ${names.length} names: ${names.slice(0, 5)}`);
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-input', message: expect.stringContaining(path) });
    return (error as Error).message.replace(path, '');
  }
};
const utf16 = (text: string, order: 'le' | 'be', mark = true): Buffer => {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

const three = ['tench, Tinca tinca', 'café', 'hen'];
const text = three.join('\n');

describe('encodings', () => {
  test.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE', utf16(text, 'le')],
    ['UTF-16 BE', utf16(text, 'be')],
    ['UTF-16 LE without a mark', utf16(text, 'le', false)],
    ['UTF-16 BE without a mark', utf16(text, 'be', false)],
    [
      'UTF-32',
      Buffer.concat([
        Buffer.from([0xff, 0xfe, 0, 0]),
        Buffer.from(Uint32Array.from([...text], (sign) => sign.codePointAt(0)!).buffer),
      ]),
    ],
    ['Latin-1', Buffer.from(text, 'latin1')],
  ])('%s is read', (_, bytes) => {
    expect(read(bytes)).toEqual(three);
  });

  test('what only Windows-1252 has is read, and said', () => {
    const { names, notes } = readClassFile(file(Buffer.from('It\x92s a \x8auma\nb', 'latin1')));
    expect(names).toEqual(['It’s a Šuma', 'b']);
    expect(notes).toEqual([expect.stringContaining('Windows-1252')]);
  });

  test.each([
    ['Shift-JIS', [0x83, 0x67, 0x83, 0x89]],
    ['GBK', [0xbb, 0xa2]],
    ['Windows-1251', [0xf2, 0xe8, 0xe3, 0xf0]],
    ['KOI8-R', [0xd4, 0xc9, 0xc7, 0xd2]],
    ['cut UTF-8', [0xe6, 0x97]],
  ])('%s is refused with its line rather than read as something else', (_, bytes) => {
    expect(
      refusal(Buffer.concat([Buffer.from('cat\ndog '), Buffer.from(bytes), Buffer.from('\nhen')])),
    ).toContain('in line 2,');
  });

  test('bytes that no text has are refused with their line', () => {
    expect(refusal(Buffer.from('cat\ndog\0\nhen'))).toContain('in line 2,');
    expect(refusal(Buffer.from([0xff, 0xfe, 0x41, 0xd8, 0x42, 0x00]))).toContain('UTF-16');
  });
});

describe('forms', () => {
  test.each<[string, string, string?]>([
    ['line ends of Windows', 'a, b\r\nc\r\nd e\r\n'],
    ['line ends of old Macs', 'a, b\rc\rd e\r'],
    ['padding, tabs and blank lines', '\n  a, b\t \n\u00a0c\u200b\n\n\td e\n\n'],
    ['quotes', '"a, b"\n"c"\n"d e"'],
    ['quotes where they are needed', '"a, b"\nc\nd e'],
    ['apostrophes around every name', "'a, b'\n'c'\n'd e'"],
    ['a list out of a program', '"a, b",\n"c",\n"d e"'],
    ['numbers from 0', '0 a, b\n1 c\n2 d e'],
    ['numbers from 1 with points', '1. a, b\n2. c\n3. d e'],
    ['numbers with colons, in another order', '2: d e\n0: a, b\n1: c'],
    ['numbers behind', 'a, b 0\nc 1\nd e 2'],
    ['synsets', 'n01440764 a, b\nn01443537 c\nn01484850 d e'],
    ['a JSON list', '["a, b", "c", "d e"]'],
    ['a JSON list under another name', '["a, b", "c", "d e"]', 'names'],
    ['a JSON object by index', '{"0": "a, b", "2": "d e", "1": "c"}', 'json'],
    [
      'Keras’ class index',
      '{"0": ["n01440764", "a, b"], "1": ["n01443537", "c"], "2": ["n0", "d e"]}',
      'json',
    ],
    ['a JSON object by name', '{"c": 1, "a, b": 0, "d e": 2}', 'json'],
    ['a network’s configuration', '{"model": "x", "id2label": {"0": "a, b", "1": "c", "2": "d e"}}', 'json'],
    [
      'COCO’s categories',
      '{"categories": [{"id": 1, "name": "a, b"}, {"id": 2, "name": "c"}, {"id": 3, "name": "d e"}]}',
      'json',
    ],
    ['a printed Python dictionary', "{0: 'a, b',\n 1: \"c\",\n 2: 'd e'}"],
    ['a table with a header', 'index,name\n0,"a, b"\n1,c\n2,d e\n', 'csv'],
    ['a table with a header in a text file', 'class_id\tclass_name\n0\ta, b\n1\tc\n2\td e\n'],
    ['a table in another order', 'label,id\nd e,3\n"a, b",1\nc,2', 'csv'],
    ['a table with semicolons', 'id;name\r\n0;a, b\r\n1;c\r\n2;d e', 'csv'],
    ['a table with one column', 'name\n"a, b"\nc\nd e', 'csv'],
    ['a table without a header', '0,"a, b"\n1,c\n2,d e', 'csv'],
    ['YAML by index', 'path: x\nnames:\n  0: a, b\n  1: c\n  2: d e\n', 'yaml'],
    ['YAML as a list', 'names: ["a, b", c, d e]\n', 'yml'],
  ])('%s', (_, content, extension) => {
    expect(read(content, extension)).toEqual(['a, b', 'c', 'd e']);
  });

  test('names that begin with numbers, commas or brackets stay what they are', () => {
    expect(read('1 cent\n2 cent\n5 cent')).toEqual(['1 cent', '2 cent', '5 cent']);
    expect(read('1 cent\n2 cent\n3 cent')).toEqual(['1 cent', '2 cent', '3 cent']);
    expect(read('001.Albatross\n002.Auklet')).toEqual(['Albatross', 'Auklet']);
    expect(read('[cat\n{dog}')).toEqual(['[cat', '{dog}']);
    expect(read('a "b" c\n"d')).toEqual(['a "b" c', '"d']);
    expect(read('name\nlabel')).toEqual(['name', 'label']);
    expect(read('n01440764\nn01443537')).toEqual(['n01440764', 'n01443537']);
  });

  test.each<[string, string, RegExp, string?]>([
    ['JSON that is cut off', '["a",\n"b"', /not JSON/, 'json'],
    ['JSON that holds no names', '{"a": {"b": 1}}', /neither indices/, 'json'],
    ['a gap in the indices', '{"0": "a", "2": "b"}', /index 1 is missing/, 'json'],
    ['an entry without a name', '["a", 3]', /entry 1 holds no name/, 'json'],
    ['an empty name', '["a", " "]', /class 1 has no name/, 'json'],
    ['a row with too few cells', 'id,name\n0,a\n1', /in line 3,/, 'csv'],
    ['an index that stands twice', 'id,name\n0,a\n0,b', /in line 3, index 0 appears twice/, 'csv'],
    ['columns that nothing names', 'a,b\nc,d', /several columns/, 'csv'],
    ['an endless quotation', 'id,name\n0,"a\n1,b', /in line 2, a quoted cell/, 'csv'],
    ['aliases in YAML', 'a: &a [x]\nnames: [*a, *a]', /./, 'yaml'],
    ['no name at all', ' \n\n', /holds no name/],
    ['an endless line', `a\n${'b'.repeat(2000)}`, /in line 2, it has a name of 2000/],
    ['a web page', '<!DOCTYPE html><html>404</html>', /web page/],
    [
      'a git-lfs pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 21675\n',
      /git-lfs pointer/,
    ],
  ])('%s is refused', (_, content, complaint, extension) => {
    expect(refusal(content, extension)).toMatch(complaint);
  });
});

test('folders, pipes, huge and absent files are refused without being read', () => {
  const inside = join(folder, 'folder');
  mkdirSync(inside);
  expect(() => readClassFile(inside)).toThrow('it is a folder');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(() => readClassFile(pipe)).toThrow('no ordinary file');
  expect(refusal(Buffer.alloc(9 * 2 ** 20, 'a\n'))).toMatch(/9\.4 MB/);
  expect(() => readClassFile(join(folder, 'absent'))).toThrow(expect.objectContaining({ code: 'not-found' }));
});

test('a wrong number of names is refused naming the file and its blank lines', () => {
  const path = file('a\n\nb\n');
  expect(() => fitClasses(readClassFile(path), 3, 'the head of x')).toThrow(
    `${path} has 2 class names, and the head of x has 3 classes: line 2 is blank.`,
  );
});

test('a name that stands twice is kept, and said', () => {
  const { names, notes } = readClassFile(file('crane\nhen\ncrane'));
  expect(names).toEqual(['crane', 'hen', 'crane']);
  expect(notes).toEqual(['Class names that stand twice: “crane” is class 0 and 2.']);
});

test('ImageNet’s classes are built in', () => {
  const { names } = classList('imagenet-1k');
  expect([names.length, names[0], names[999]]).toEqual([
    1000,
    'tench, Tinca tinca',
    'toilet tissue, toilet paper, bathroom tissue',
  ]);
});

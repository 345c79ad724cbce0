import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { openWeights } from '../../src-main/formats/weights/open.ts';
import { type ZipMember, zipFile } from './zip-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixtures = fileURLToPath(new URL('../fixtures/torch/', import.meta.url));
const proof = join(folder, 'executed');

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const uint32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('latin1');
};
const text = (value: string): string => `X${uint32(value.length)}${value}`;
const checkpoint = (pickle: string | Buffer, more: ZipMember[] = []): Buffer =>
  zipFile([{ name: 'a/data.pkl', data: typeof pickle === 'string' ? latin1(pickle) : pickle }, ...more]);
const legacy = (pickle: string): Buffer =>
  latin1(`\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.${pickle}`);
/** A dictionary `{'w': tensor}` over storage 0 of `numel` float32s. */
const tensorOf = (numel: string, offset: string, shape: string, stride: string): string =>
  `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu${numel}tQ${offset}${shape}${stride}\x89}tRs.`;
const storage = (bytes: number): ZipMember => ({ name: 'a/data/0', data: new Uint8Array(bytes) });

const calls: Record<string, string> = {
  'os.system': `cos\nsystem\n(S'touch ${proof}'\ntR.`,
  'posix.system': `cposix\nsystem\n(S'touch ${proof}'\ntR.`,
  'builtins.eval': `cbuiltins\neval\n(S'1'\ntR.`,
  'builtins.exec': `cbuiltins\nexec\n(S'1'\ntR.`,
  '__builtin__.eval': `c__builtin__\neval\n(S'1'\ntR.`,
  'builtins.getattr': `cbuiltins\ngetattr\n(N.`,
  'subprocess.Popen': `(S'touch ${proof}'\nisubprocess\nPopen\n.`,
  'nt.system': '(cnt\nsystem\no.',
  'torch.load': 'ctorch\nload\n.',
  'torch.hub.load': 'ctorch.hub\nload\n.',
  'importlib.import_module': `${text('importlib')}${text('import_module')}\x93.`,
  'runpy._run_code': 'crunpy\n_run_code\n.',
  'webbrowser.open': `cwebbrowser\nopen\n(S'http://a'\ntR.`,
  'torch.storage.constructor': 'ctorch.storage\nconstructor\n.',
  'torch.__proto__': 'ctorch\n__proto__\n.',
  'collections.OrderedDict.__reduce__': 'ccollections\nOrderedDict.__reduce__\n.',
};

test.each(Object.entries(calls))('%s is refused by its name, and nothing is executed', (name, pickle) => {
  for (const bytes of [checkpoint(pickle), checkpoint(`\x80\x02${pickle}`), legacy(pickle)]) {
    const path = join(folder, 'weights.pth');
    writeFileSync(path, bytes);
    expect(() => openWeights(path)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(`Python's ${name}`) }),
    );
  }
  expect(existsSync(proof)).toBe(false);
});

const deep = 400_000;
const bombs: Record<string, Buffer> = {
  'a string of 4 GB': checkpoint(`X${uint32(0xffffffff)}a.`),
  'a string of exabytes': checkpoint('\x8d\xff\xff\xff\xff\xff\xff\xff\x7fa.'),
  'bytes of 4 GB': checkpoint(`B${uint32(0xfffffff0)}.`),
  'an integer of megabytes': checkpoint(
    Buffer.concat([latin1(`\x8b${uint32(2 ** 20)}`), Buffer.alloc(2 ** 20, 255), latin1('.')]),
  ),
  'an integer of a million digits': checkpoint(`L${'9'.repeat(1_000_000)}L\n.`),
  'lists within lists': checkpoint(`${']'.repeat(deep)}${'a'.repeat(deep - 1)}.`),
  'tuples within tuples': checkpoint(`N${'\x85'.repeat(deep)}.`),
  'dictionaries within dictionaries': checkpoint(
    `${'}X\x01\0\0\0w'.repeat(100_000)}N${'s'.repeat(100_000)}.`,
  ),
  'a list of itself': checkpoint(']q\x00h\x00a.'),
  'a dictionary of itself': checkpoint('}q\x00X\x01\0\0\0wh\x00s.'),
  'doubling by the memo': checkpoint(
    `}X\x01\0\0\0aNsq\x00${Array.from({ length: 60 }, (_, i) => `0}(X\x01\0\0\0ah${String.fromCharCode(i)}X\x01\0\0\0bh${String.fromCharCode(i)}uq${String.fromCharCode(i + 1)}`).join('')}.`,
  ),
  'a list copied again and again': checkpoint(
    `](${'NN\x86'.repeat(100_000)}eq\x000(${'ccollections\nOrderedDict\nh\x00\x85R'.repeat(1000)}t.`,
  ),
  'a memo index of billions': checkpoint(`Nr${uint32(0xfffffffe)}0.`),
  'a pickle of pushes': checkpoint(Buffer.concat([Buffer.alloc(20_000_000, 'N'), latin1('.')])),
  'a pickle of marks': checkpoint(Buffer.concat([Buffer.alloc(20_000_000, '('), latin1('.')])),
  'an empty stack': checkpoint('.'),
  'a pop of nothing': checkpoint('00.'),
  'a call of nothing': checkpoint('R.'),
  'a mark that is not there': checkpoint('Nt.'),
  'a pop below a mark': checkpoint('N(0.'),
  'a call of a number': checkpoint('K\x01)R.'),
  'items for a number': checkpoint('K\x01NNs.'),
  'a memo of nothing': checkpoint('h\x07.'),
  'an unknown operation': checkpoint('\xfe.'),
  'protocol 9': checkpoint('\x80\x09N.'),
  'a pickle that does not end': checkpoint('NNNN'),
  'an endless line': checkpoint('cos'),
  'an extension': checkpoint('\x82\x01.'),
  'a frame beyond the end': checkpoint('\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.'),
  'a tensor of nothing': checkpoint('}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(tRs.'),
  'a storage that is no storage': checkpoint('}X\x01\0\0\0wNQs.'),
  'a storage outside the archive': checkpoint(
    tensorOf('K\x01', 'K\x00', 'K\x01\x85', 'K\x01\x85').replace(
      'X\x01\0\0\x000',
      text('../../../etc/passwd'),
    ),
    [storage(4)],
  ),
  'a tensor beyond its storage': checkpoint(tensorOf('K\x04', 'K\x02', 'K\x03\x85', 'K\x01\x85'), [
    storage(16),
  ]),
  'a tensor at a negative place': checkpoint(
    tensorOf('K\x04', 'J\xff\xff\xff\xff', 'K\x02\x85', 'K\x01\x85'),
    [storage(16)],
  ),
  'a tensor with a negative stride': checkpoint(
    tensorOf('K\x04', 'K\x03', 'K\x02\x85', 'J\xff\xff\xff\xff\x85'),
    [storage(16)],
  ),
  'a tensor that repeats one element into terabytes': checkpoint(
    tensorOf('K\x01', 'K\x00', 'J\xff\xff\xff\x7fK\x7f\x86', 'K\x00K\x00\x86'),
    [storage(4)],
  ),
  'a storage that claims gigabytes': checkpoint(
    tensorOf('J\xff\xff\xff\x7f', 'K\x00', 'K\x02\x85', 'K\x01\x85'),
    [storage(16)],
  ),
  'a compressed storage (zip bomb)': checkpoint(
    tensorOf('J\x00\x00\x00\x10', 'K\x00', 'J\x00\x00\x00\x10\x85', 'K\x01\x85'),
    [{ name: 'a/data/0', data: deflateRawSync(Buffer.alloc(4 * 2 ** 20)), method: 8, size: 2 ** 30 }],
  ),
  'a compressed pickle (zip bomb)': zipFile([
    {
      name: 'a/data.pkl',
      data: deflateRawSync(Buffer.alloc(4 * 2 ** 20, 'N')),
      method: 8,
      size: 4 * 2 ** 20,
    },
  ]),
  'a member that leads out (zip-slip)': checkpoint('}.', [
    { name: '../../.bashrc', data: new Uint8Array(1) },
  ]),
  'a member with an absolute name': checkpoint('}.', [{ name: '/etc/passwd', data: new Uint8Array(1) }]),
  'a member with a name of Windows': checkpoint('}.', [{ name: 'a\\..\\..\\x', data: new Uint8Array(1) }]),
  'a member that stands twice': checkpoint('}.', [storage(4), storage(4)]),
  'a member that claims more than the archive': zipFile([
    { name: 'a/data.pkl', data: latin1('}.'), size: 2 ** 31 },
  ]),
  'an archive without its end': checkpoint('}.', [storage(1000)]).subarray(0, 600),
  'no tensor at all': checkpoint('}.'),
  'a legacy file without its storages': legacy(tensorOf('K\x04', 'K\x00', 'K\x04\x85', 'K\x01\x85').slice(2)),
  'a legacy storage of exabytes': Buffer.concat([
    legacy(`${tensorOf('K\x04', 'K\x00', 'K\x04\x85', 'K\x01\x85').slice(2)}](X\x01\0\0\x000e.`),
    Buffer.alloc(8, 0x7f),
  ]),
};

test.each(Object.entries(bombs))('%s is refused, quickly and within bounds', (_, bytes) => {
  const path = join(folder, 'weights.pth');
  writeFileSync(path, bytes);
  const start = performance.now();
  const before = process.memoryUsage().rss;
  expect(() => {
    const source = openWeights(path);
    for (const name of source.tensors.keys()) source.read(name);
  }).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(path) }));
  // The bar is 5 s and what a person would not notice; 20 MB of operations take a fraction of both.
  expect(performance.now() - start).toBeLessThan(5000);
  expect(process.memoryUsage().rss - before).toBeLessThan(700 * 2 ** 20);
});

test('files that are cut off, or have a byte changed, are read or refused, and never anything else', () => {
  let dice = 7;
  const random = (below: number) => {
    dice = (dice * 48271) % 2147483647;
    return dice % below;
  };
  for (const name of [
    'plain.zip.pth',
    'kinds.zip.pth',
    'nested.legacy.pth',
    'old.tar.pth',
    'script.zip.pt',
  ]) {
    const whole = readFileSync(join(fixtures, name));
    for (let i = 0; i < 150; i++) {
      const bytes = Buffer.from(whole.subarray(0, i % 3 === 0 ? random(whole.length) : whole.length));
      for (let changes = i % 3; changes > 0; changes--) bytes[random(bytes.length)] = random(256);
      const path = join(folder, 'changed.pth');
      writeFileSync(path, bytes);
      try {
        const source = openWeights(path);
        for (const tensor of source.tensors.keys()) source.read(tensor);
      } catch (error) {
        expect(error, `${name}, change ${i}`).toMatchObject({
          code: expect.stringMatching(/^(bad-input|not-found)$/),
        });
      }
    }
  }
});

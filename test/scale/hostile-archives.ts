/**
 * Imports what is made to fill memory or the disk: ten gigabytes of zeros in every place where an import inflates something, and
 * sparse files of that size. Says what came of each, how long it took and the most memory that the service or its reader held; ends
 * with 1 where that is more than a gigabyte, or where something was written outside of the home. Needs Linux. Run it with:
 *
 *   node_modules/.bin/node test/scale/hostile-archives.ts
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { openService } from '../../src-main/service/service.ts';
import { tarFile } from '../unit/tar-file.ts';
import { type ZipMember, zipFile } from '../unit/zip-file.ts';

const size = 10 * 2 ** 30;
const mostBytes = 2 ** 30;
const piece = Buffer.alloc(2 ** 26);
const times = (bytes: Buffer): Buffer[] => Array.from({ length: size / piece.length }, () => bytes);

/** Deflated: pieces that end at whole bytes and need nothing of those before, then an end. */
const bomb = Buffer.concat([
  ...times(deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH })),
  deflateRawSync(Buffer.alloc(0)),
]);
const holding = (name: string, claimed = size): ZipMember => ({ name, data: bomb, method: 8, size: claimed });

const images: ZipMember[] = await Promise.all(
  ['cat', 'dog'].flatMap((name, label) =>
    [0, 1, 2].map(async (index) => {
      const background = { r: 90 * index, g: 200 * label, b: 40 };
      const picture = sharp({ create: { width: 64, height: 48, channels: 3, background } });
      return { name: `${name}/${index}.jpg`, data: await picture.jpeg().toBuffer() };
    }),
  ),
);

/** Files by path: their bytes, or that they are as large and sparse. */
type Made = Record<string, Buffer | 'sparse'>;
const zip = (...members: ZipMember[]): Made => ({ 'set.zip': zipFile([...images, ...members]) });
const cases: Record<string, Made> = {
  'an image': zip(holding('cat/bomb.jpg')),
  'an image that claims 100 bytes': zip(holding('cat/bomb.jpg', 100)),
  'a table': zip(holding('labels.csv')),
  'a table that claims 100 bytes': zip(holding('labels.csv', 100)),
  'a list': zip(holding('train.txt')),
  annotations: zip(holding('annotations/instances_train2017.json')),
  'a Parquet file': { 'set.zip': zipFile([holding('data/train-00000-of-00001.parquet')]) },
  'records of CIFAR': {
    'set.zip': zipFile([
      { name: 'batches.meta.txt', data: Buffer.from('cat\ndog\n') },
      holding('data_batch_1.bin', 3073 * 3),
      holding('test_batch.bin'),
    ]),
  },
  'a tar in a zip': { 'set.zip': zipFile([holding('train.tar')]) },
  'a packed tar': { 'set.tgz': Buffer.concat(times(gzipSync(piece))) },
  'a packed tar with images before': {
    'set.tgz': Buffer.concat([gzipSync(tarFile(images, false)), ...times(gzipSync(piece))]),
  },
  'a sparse image': { 'cat/0.jpg': images[0].data as Buffer, 'cat/1.jpg': 'sparse' },
  'a sparse tar': { 'set.tar': 'sparse' },
  'a sparse table beside images': { 'cat/0.jpg': images[0].data as Buffer, 'labels.csv': 'sparse' },
  'a sparse Parquet file': { 'train.parquet': 'sparse' },
};

const root = mkdtempSync(join(tmpdir(), 'cotune-hostile-'));
const home = join(root, 'home');
const spawnTrainer = () => {
  throw new Error('Nothing is trained here.');
};
const service = await openService({ home, spawnTrainer, queue: 'own' });

/** Bytes of the largest of this process and those that it started, now. */
function memory(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim();
  const ids = [String(process.pid), ...(children === '' ? [] : children.split(' '))];
  return Math.max(...ids.map(residentBytes));
}

function residentBytes(id: string): number {
  try {
    return 4096 * Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]);
  } catch {
    // It has just ended.
    return 0;
  }
}

let faults = 0;
for (const [what, files] of Object.entries(cases)) {
  const folder = join(root, `case ${Object.keys(cases).indexOf(what)}`);
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes === 'sparse' ? '' : bytes);
    if (bytes === 'sparse') truncateSync(path, size);
  }
  const before = readdirSync(root, { recursive: true }).filter(isOutside);
  const [first] = Object.keys(files);
  const path = first.startsWith('set.') ? join(folder, first) : folder;
  const from = performance.now();
  let peak = 0;
  const task = await service.call('datasets.import', { path, name: what });
  for (;;) {
    peak = Math.max(peak, memory());
    const { status, error } = (await service.call('tasks.list', {})).find(({ id }) => id === task.id)!;
    if (status !== 'running') {
      const outcome = error?.message ?? (await imported(what));
      console.log(
        `${what.padEnd(34)} ${((performance.now() - from) / 1000).toFixed(1).padStart(5)} s ${(peak / 2 ** 20).toFixed(0).padStart(5)} MiB  ${outcome.replaceAll(root, '')}`,
      );
      break;
    }
    await wait(10);
  }
  const after = readdirSync(root, { recursive: true }).filter(isOutside);
  if (peak > mostBytes || after.length !== before.length) faults++;
  rmSync(folder, { recursive: true });
}

function isOutside(path: string | Buffer): boolean {
  return !String(path).startsWith('home');
}

/** What an import that ended well says of the one that it left out; a table that cannot be read is none, and the folders count. */
async function imported(name: string): Promise<string> {
  const { findings } = await service.call('datasets.findings', { dataset: name });
  const [{ path, detail } = { path: 'the folders', detail: 'count' }] = findings.filter(
    ({ kind }) => kind === 'huge' || kind === 'broken',
  );
  return `imported; ${path}: ${detail}`;
}

await service.close();
rmSync(root, { recursive: true, force: true });
console.log(faults === 0 ? 'Nothing took a gigabyte or was written elsewhere.' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;

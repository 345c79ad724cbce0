import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { inspectModelFile } from '../../src-main/backbones/inspect.ts';
import { readPlan, readRunSettings } from '../../src-main/cli/settings-file.ts';
import { readFacts } from '../../src-main/data/file-facts.ts';
import { ImageProblem } from '../../src-main/data/image.ts';
import { placeOfFile } from '../../src-main/data/locator.ts';
import { readClassFile } from '../../src-main/formats/class-names/read-class-file.ts';
import { readNpyLabels, readNpyMatrix, writeNpy } from '../../src-main/formats/npy.ts';
import { openWeights } from '../../src-main/formats/weights/open.ts';
import { answer } from '../../src-main/hosts/frames.ts';
import { startServer } from '../../src-main/hosts/headless/server.ts';
import { openService } from '../../src-main/service/service.ts';
import { exportNetwork } from '../../src-main/trainer/export.ts';
import { verifyExport } from '../../src-main/trainer/verify-export.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { fakeTrainer, writeWeights } from '../contract/fixture.ts';

export interface Reader {
  name: string;
  /** Ending of the files that it is given. */
  end: string;
  seeds: Buffer[];
  /** Rejects with an error for a person where the file is not what it should be. */
  read(path: string, bytes: Buffer): unknown;
}

/** What a person is told: anything else that a reader throws is a fault. */
export const isAnswer = (error: unknown): boolean =>
  error instanceof CotuneError || error instanceof ImageProblem;

const fixtures = (folder: string, pattern: RegExp): Buffer[] => {
  const path = fileURLToPath(new URL(`../fixtures/${folder}`, import.meta.url));
  return readdirSync(path)
    .filter((name) => pattern.test(name))
    .map((name) => readFileSync(join(path, name)))
    .filter((bytes) => bytes.length < 100_000);
};

/** Everything that the program reads and did not write itself. `folder` is theirs; `secret` is a file outside of it. */
export async function openReaders(
  folder: string,
  secret: string,
): Promise<{ readers: Reader[]; close(): Promise<void> }> {
  const weights = join(folder, 'seed.safetensors');
  writeWeights(weights);
  const model = readFileSync(weights);
  const exported = join(folder, 'seed.onnx');
  await exportNetwork({
    ...{ kind: 'export', weightsPath: weights, format: 'onnx', size: 32 },
    ...{ path: exported, readmePath: join(folder, 'seed.README.md') },
  });
  const onnx = readFileSync(exported);
  const pixels = sharp(Buffer.alloc(20 * 12 * 3, 90), { raw: { width: 20, height: 12, channels: 3 } });
  const pictures = await Promise.all(
    (['png', 'jpeg', 'webp', 'gif', 'tiff'] as const).map((format) =>
      pixels.clone().toFormat(format).toBuffer(),
    ),
  );
  const bmp = Buffer.alloc(54 + 4 * 3 * 4);
  bmp.write('BM');
  for (const [at, value] of [
    [2, bmp.length],
    [10, 54],
    [14, 40],
    [18, 4],
    [22, 3],
  ])
    bmp.writeUInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  const matrix = Buffer.from(writeNpy({ shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }));
  const labels = Buffer.from(
    '\x93NUMPY\x01\x00v\x00' +
      "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }".padEnd(117) +
      '\n\0\0\0\0\x01\0\0\0',
    'latin1',
  );

  const service = await openService({ home: join(folder, 'home'), spawnTrainer: fakeTrainer, queue: 'own' });
  const rendererFolder = join(folder, 'renderer');
  mkdirSync(rendererFolder, { recursive: true });
  writeFileSync(join(rendererFolder, 'index.html'), '<!doctype html>');
  const server = await startServer({ service, folders: [rendererFolder], port: 0, rendererFolder });
  const inside = readFileSync(secret, 'utf8');
  const token = new URL(server.url).searchParams.get('token') ?? '';
  const texts = (...lines: string[]) => lines.map((line) => Buffer.from(line));

  const readers: Reader[] = [
    {
      name: 'weights',
      end: '.safetensors',
      seeds: [...fixtures('safetensors', /safetensors$/), ...fixtures('torch', /\.pth?$/)],
      read(path) {
        const source = openWeights(path);
        for (const name of [...source.tensors.keys()].slice(0, 3)) source.read(name);
      },
    },
    {
      name: 'model',
      end: '.safetensors',
      seeds: [model.subarray(0, 120_000)],
      read: (path) => inspectModelFile(path),
    },
    {
      name: 'ONNX weights',
      end: '.onnx',
      seeds: [onnx],
      read(path) {
        const source = openWeights(path);
        for (const name of [...source.tensors.keys()].slice(0, 3)) source.read(name);
      },
    },
    { name: 'exported network', end: '.onnx', seeds: [onnx], read: (path) => verifyExport(path) },
    { name: 'npy matrix', end: '.npy', seeds: [matrix], read: (path) => readNpyMatrix(path) },
    { name: 'npy labels', end: '.npy', seeds: [labels, matrix], read: (path) => readNpyLabels(path) },
    { name: 'image', end: '.png', seeds: [...pictures, bmp], read: (path) => readFacts(placeOfFile(path)) },
    {
      name: 'class file',
      end: '.txt',
      seeds: texts(
        'bee\nwasp\n',
        '0: bee\n1: wasp\n',
        '["bee","wasp"]',
        '{"0":["n1","bee"],"1":["n2","wasp"]}',
        '\ufeffbee\r\nwasp',
        "names: ['bee', wasp]\n",
      ),
      read: (path) => readClassFile(path),
    },
    {
      name: 'settings',
      end: '.yaml',
      seeds: texts('method: finetune\nsteps: 30\nrate: 0.3\n'),
      read: (path) => readRunSettings(path, new Map()),
    },
    {
      name: 'plan',
      end: '.yaml',
      seeds: texts(
        'name: a\ndataset: d\nmodel: m\nmethods: [finetune, cotuning]\nrates: [0.15, 1]\nseeds: [0, 1]\nconfig: {steps: 30}\n',
      ),
      read: (path) => readPlan(path, {}, new Map()),
    },
    {
      name: 'frame',
      end: '.json',
      seeds: texts(
        '{"id":1,"call":"runs.list","input":{"status":"queued"}}',
        '{"id":2,"call":"datasets.samples","input":{"dataset":"a","offset":0,"limit":10}}',
        '{"id":3,"call":"runs.compare","input":{"runs":[1,2]}}',
        '{"id":4,"call":"relationships.get","input":{"relationship":1,"top":3}}',
      ),
      async read(_, bytes) {
        let frame: unknown;
        try {
          frame = JSON.parse(bytes.toString());
        } catch {
          return;
        }
        const { error } = (await answer(service, frame)) as { error?: { message: string; code: string } };
        if (error?.code === 'failed') throw new Error(`a frame got: ${error.message}`);
      },
    },
    {
      name: 'HTTP',
      end: '.txt',
      seeds: texts(
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`,
        `GET /../../secret.txt?token=${token} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`,
        `GET /%2e%2e/%2e%2e/secret.txt HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: cotune-${server.port}=${token}\r\n\r\n`,
        `GET /ws?token=${token} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x85abcdABCDE`,
      ),
      async read(_, bytes) {
        const said = await exchange(server.port, bytes);
        if (said.includes(inside)) throw new Escape('HTTP handed out a file outside of its folder');
      },
    },
  ];
  return {
    readers,
    async close() {
      await server.close();
      await service.close();
    },
  };
}

export class Escape extends Error {}

/** Sends bytes, and listens for a moment: a server may as well wait for more of them. */
const exchange = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(50, () => socket.destroy());
    socket.on('data', (data) => {
      said += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });

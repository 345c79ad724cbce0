import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { fetchFromHub } from '../../src-main/hub/fetch-from-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-hub-'));
const weights = Buffer.from(Uint8Array.from({ length: 50_000 }, (_, i) => (i * 31) % 251));
const config = Buffer.from(
  JSON.stringify({
    label_names: ['a', 'b'],
    pretrained_cfg: {
      input_size: [3, 160, 160],
      crop_pct: 0.95,
      mean: [0.5, 0.5, 0.5],
      std: [0.2, 0.2, 0.2],
    },
  }),
);
const sha = 'a'.repeat(40);
const listing = {
  sha,
  siblings: [
    { rfilename: 'README.md', size: 1, blobId: 'x' },
    {
      rfilename: 'model.safetensors',
      size: weights.length,
      blobId: 'x',
      lfs: { sha256: createHash('sha256').update(weights).digest('hex'), size: weights.length },
    },
    {
      rfilename: 'config.json',
      size: config.length,
      blobId: createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex'),
    },
  ],
};

/** How the hub behaves towards requests for the weights, one after another; then well. */
let moods: ((request: IncomingMessage, response: ServerResponse, from: number) => void)[] = [];
let ranges: (string | undefined)[] = [];
const server = createServer((request, response) => {
  if (request.headers.authorization !== 'Bearer secret') return void response.writeHead(401).end();
  if (request.url === '/api/models/timm/net/revision/main?blobs=true')
    return void response.end(JSON.stringify(listing));
  if (request.url === `/timm/net/resolve/${sha}/config.json`) return void response.end(config);
  if (request.url !== `/timm/net/resolve/${sha}/model.safetensors`) return void response.writeHead(404).end();
  ranges.push(request.headers.range);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const mood = moods.shift();
  if (mood) return mood(request, response, from);
  response.writeHead(from > 0 ? 206 : 200).end(weights.subarray(from));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  moods = [];
  ranges = [];
  rmSync(join(folder, 'timm--net'), { recursive: true, force: true });
});
const take = (more: object = {}, repository = 'timm/net') =>
  fetchFromHub(repository, folder, {
    endpoint,
    token: 'secret',
    revision: 'main',
    onProgress: () => {},
    ...more,
  });
const cutAfter = (bytes: number) => (_: IncomingMessage, response: ServerResponse, from: number) => {
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': weights.length - from });
  response.write(weights.subarray(from, from + bytes), () => response.destroy());
};

test('weights, class names and preprocessing arrive, with progress', async () => {
  const seen: [number, number][] = [];
  const fetched = await take({ onProgress: (...said: [number, number]) => seen.push(said) });
  expect(readFileSync(fetched.weights)).toEqual(weights);
  expect(JSON.parse(readFileSync(fetched.classes!, 'utf8'))).toEqual(['a', 'b']);
  expect(fetched.preprocessing).toEqual({
    inputSize: 160,
    resizeShorter: 168,
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
  });
  expect(seen.filter(([, total]) => total === weights.length).at(-1)).toEqual([50_000, 50_000]);
});

test('cut connections are taken up where they ended', async () => {
  moods = [cutAfter(20_000), cutAfter(15_000)];
  expect(readFileSync((await take()).weights)).toEqual(weights);
  expect(ranges).toHaveLength(3);
  expect(ranges[0]).toBeUndefined();
  expect(Number(/\d+/.exec(ranges[2]!)![0])).toBeGreaterThan(0);
});

test('a download that is called off keeps what has arrived, and goes on with it', async () => {
  const calledOff = new AbortController();
  moods = [
    (_, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      response.write(weights.subarray(0, 20_000), () => setTimeout(() => calledOff.abort(), 100));
    },
  ];
  await expect(take({ signal: calledOff.signal })).rejects.toThrow('aborted');
  expect(ranges).toHaveLength(1);
  expect(readFileSync((await take()).weights)).toEqual(weights);
  expect(ranges[1]).toMatch(/^bytes=\d+-$/);
});

test('a server that does not know ranges begins again', async () => {
  moods = [cutAfter(20_000), (_, response) => void response.writeHead(200).end(weights)];
  expect(readFileSync((await take()).weights)).toEqual(weights);
});

test('wrong bytes are noticed and fetched again; where they stay wrong nothing is left under the name', async () => {
  const wrong = (_: IncomingMessage, response: ServerResponse, from: number) =>
    void response.writeHead(from > 0 ? 206 : 200).end(Buffer.from(weights.subarray(from)).fill(1, 5, 9));
  moods = [wrong];
  expect(readFileSync((await take()).weights)).toEqual(weights);
  rmSync(join(folder, 'timm--net'), { recursive: true });
  moods = Array.from({ length: 5 }, () => wrong);
  await expect(take()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('not what the hub says'),
  });
  expect(existsSync(join(folder, 'timm--net', sha, 'model.safetensors'))).toBe(false);
});

test('an unknown name, a closed repository and an absent network are each called what they are', async () => {
  await expect(take({}, 'timm/other')).rejects.toMatchObject({ code: 'not-found' });
  await expect(take({ token: undefined })).rejects.toMatchObject({
    code: 'bad-input',
    hint: expect.stringContaining('HF_TOKEN'),
  });
  await expect(take({}, '../../etc')).rejects.toMatchObject({ code: 'bad-input' });
  await expect(take({ endpoint: 'http://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('Check the network'),
  });
});

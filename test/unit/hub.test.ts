import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { configuredBy } from '../../src-main/hub/configuration.ts';
import { fetchFromHub } from '../../src-main/hub/fetch-from-hub.ts';
import { type Mood, startLocalHub } from '../local-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-hub-'));
const weights = Buffer.from(Uint8Array.from({ length: 50_000 }, (_, i) => (i * 31) % 251));
const config = Buffer.from(
  JSON.stringify({
    architecture: 'resnet18',
    label_names: ['a', 'b'],
    pretrained_cfg: {
      input_size: [3, 160, 160],
      crop_pct: 0.95,
      mean: [0.5, 0.5, 0.5],
      std: [0.2, 0.2, 0.2],
    },
  }),
);
const hub = await startLocalHub({ weights, config, token: 'secret' });
const { sha, endpoint, ranges } = hub;
afterAll(() => {
  hub.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  hub.moods.length = 0;
  ranges.length = 0;
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
const cutAfter =
  (bytes: number): Mood =>
  (_, response, from) => {
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': weights.length - from });
    response.write(weights.subarray(from, from + bytes), () => response.destroy());
  };

test('weights, class names and preprocessing arrive, with progress', async () => {
  const seen: [number, number][] = [];
  const fetched = await take({ onProgress: (...said: [number, number]) => seen.push(said) });
  expect(readFileSync(fetched.weights)).toEqual(weights);
  expect(JSON.parse(readFileSync(fetched.classes!, 'utf8'))).toEqual(['a', 'b']);
  expect(fetched.architecture).toBe('resnet18');
  expect(fetched.preprocessing).toEqual({
    inputSize: 160,
    resizeShorter: 168,
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
  });
  expect(seen.filter(([, total]) => total === weights.length).at(-1)).toEqual([50_000, 50_000]);
});

test('cut connections are taken up where they ended', async () => {
  hub.moods.push(cutAfter(20_000), cutAfter(15_000));
  expect(readFileSync((await take()).weights)).toEqual(weights);
  expect(ranges).toHaveLength(3);
  expect(ranges[0]).toBeUndefined();
  expect(Number(/\d+/.exec(ranges[2]!)![0])).toBeGreaterThan(0);
});

test('a download that is called off keeps what has arrived, and goes on with it', async () => {
  const calledOff = new AbortController();
  hub.moods.push((_, response) => {
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, 20_000), () => setTimeout(() => calledOff.abort(), 100));
  });
  await expect(take({ signal: calledOff.signal })).rejects.toThrow('aborted');
  expect(ranges).toHaveLength(1);
  expect(readFileSync((await take()).weights)).toEqual(weights);
  expect(ranges[1]).toMatch(/^bytes=\d+-$/);
});

test('a server that does not know ranges begins again', async () => {
  hub.moods.push(cutAfter(20_000), (_, response) => void response.writeHead(200).end(weights));
  expect(readFileSync((await take()).weights)).toEqual(weights);
});

test('wrong bytes are noticed and fetched again; where they stay wrong nothing is left under the name', async () => {
  const wrong: Mood = (_, response, from) =>
    void response.writeHead(from > 0 ? 206 : 200).end(Buffer.from(weights.subarray(from)).fill(1, 5, 9));
  hub.moods.push(wrong);
  expect(readFileSync((await take()).weights)).toEqual(weights);
  rmSync(join(folder, 'timm--net'), { recursive: true });
  hub.moods.push(...Array.from({ length: 5 }, () => wrong));
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

test('transformers’ files say how images become inputs, and which settings make another network of the same tensors', () => {
  const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
  const preprocessing = (preprocessor: object) => configuredBy('o/r', {}, preprocessor).preprocessing;
  const halves = { mean: half.image_mean, std: half.image_std };
  expect(preprocessing({ size: { height: 224, width: 224 }, ...half })).toEqual({
    inputSize: 224,
    resizeShorter: 224,
    ...halves,
  });
  expect(
    preprocessing({ size: { shortest_edge: 256 }, crop_size: { height: 224, width: 224 }, ...half }),
  ).toEqual({
    inputSize: 224,
    resizeShorter: 256,
    ...halves,
  });
  expect(preprocessing({ size: { shortest_edge: 224 }, crop_pct: 0.875 })).toEqual({
    inputSize: 224,
    resizeShorter: 256,
  });
  // EfficientNet's names a crop that it does not make.
  expect(preprocessing({ size: 240, crop_size: 289, do_center_crop: false, do_normalize: false })).toEqual({
    inputSize: 240,
    resizeShorter: 240,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  // EfficientNet's divides what it has normalized once more.
  expect(
    preprocessing({
      size: { height: 224, width: 224 },
      ...{ image_mean: [0.485, 0.456, 0.406], image_std: [0.5, 0.25, 0.125], include_top: true },
    }),
  ).toMatchObject({ mean: [0.485, 0.456, 0.406], std: [0.25, 0.0625, 0.015625] });
  expect(preprocessing({ size: 'large', image_mean: 'grey' })).toEqual({});
  expect(configuredBy('o/r', { model_type: 'resnet', hidden_act: 'relu' }, undefined)).toEqual({
    preprocessing: {},
  });
  expect(() =>
    configuredBy('o/r', { model_type: 'resnet', downsample_in_bottleneck: true }, undefined),
  ).toThrow('downsample_in_bottleneck is true');
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { recognizeWeights } from '../../src-main/formats/weights/recognize.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-recognize-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** Every file is called as if it were safetensors: the name says nothing. */
const file = (content: string | Uint8Array): string => {
  const path = join(folder, 'weights.safetensors');
  writeFileSync(path, content);
  return path;
};
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const zipOf = (name: string): Buffer =>
  Buffer.concat([latin1('PK\x03\x04'), Buffer.alloc(26), latin1(`${name}more`)]);
const tarOf = (name: string): Buffer => {
  const block = Buffer.alloc(1024);
  block.write(name);
  block.write('ustar', 257);
  return block;
};

test.each<[string, Uint8Array | string, RegExp]>([
  ['an empty file', '', /an empty file/],
  ['zeros', Buffer.alloc(3000), /nothing but zeros/],
  ['three bytes', latin1('\x01\x02\x03'), /it has 3 bytes/],
  ['a web page', '\n<!DOCTYPE html><html>', /a web page/],
  ['a web page with a mark', '\ufeff<html>', /a web page/],
  ['a storage error', '<?xml version="1.0"?><Error/>', /XML/],
  [
    'a git-lfs pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 14200000\n',
    /pointer.*14\.2 MB/,
  ],
  ['a Keras model', zipOf('metadata.json config.json'), /Keras/],
  ['a NumPy archive', zipOf('arr_0.npy'), /NumPy archive/],
  ['a zip archive', zipOf('holiday.jpg'), /zip archive/],
  ['a tar archive', tarOf('model/x'), /tar archive/],
  ['a gzip archive', gzipSync('x'), /gzip/],
  ['HDF5', latin1('\x89HDF\r\n\x1a\n....'), /HDF5/],
  ['TensorFlow Lite', latin1('\x1c\0\0\0TFL3....'), /Lite/],
  ['a SavedModel', latin1('\x08\x01\x12\x90\x07\x0a\x05serve'), /SavedModel/],
  ['GGUF', latin1('GGUF\x03\0\0\0....'), /GGUF/],
  ['another pickle', latin1('\x80\x04\x95\x10\0\0\0\0\0\0\0.'), /pickle that PyTorch did not write/],
  ['a TensorFlow.js model', '{"format": "layers-model", "modelTopology": {}}', /TensorFlow.js/],
  ['a configuration', '{"architectures": ["ResNet"]}', /configuration/],
  ['an image', latin1('\xff\xd8\xff\xe0....'), /an image/],
  ['a text file', 'weights go here', /a text file/],
  ['noise', Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31 + 7) % 251), /none of the weights files/],
])('%s is called what it is, with what to do', (_, content, complaint) => {
  expect(() => recognizeWeights(file(content))).toThrow(
    expect.objectContaining({
      code: 'bad-input',
      message: expect.stringMatching(complaint),
      hint: expect.stringMatching(/\w/),
    }),
  );
});

test.each<[string, Uint8Array | string]>([
  ['safetensors', latin1('\x20\0\0\0\0\0\0\0{"a": {}}')],
  ['safetensors-index', '{"metadata": {}, "weight_map": {"a": "b"}}'],
  ['torch-zip', zipOf('archive/data.pkl')],
  ['torch-zip', zipOf('data.pkl')],
  ['torch-legacy', latin1('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.')],
  ['torch-tar', tarOf('sys_info')],
  ['onnx', latin1('\x08\x08\x12\x07pytorch\x1a\x052.1.0:')],
])('%s is recognized whatever the file is called', (format, content) => {
  expect(recognizeWeights(file(content))).toBe(format);
});

test('a folder is told what to name inside it, and a pipe is not waited for', () => {
  const inside = join(folder, 'hub');
  mkdirSync(inside);
  writeFileSync(join(inside, 'model.safetensors'), '');
  expect(() => recognizeWeights(inside)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('model.safetensors') }),
  );
  writeFileSync(join(inside, 'saved_model.pb'), '');
  expect(() => recognizeWeights(inside)).toThrow('SavedModel');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(() => recognizeWeights(pipe)).toThrow('no ordinary file');
});

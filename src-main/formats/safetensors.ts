import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CotuneError } from '../../src-shared/errors.ts';
import { type ElementName, elementTypes } from './element-types.ts';
import { writeWhole } from './write-whole.ts';

/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}},
 * then the tensors back to back. https://github.com/huggingface/safetensors#format
 * Bounds kept here, so that a hostile file costs an error and nothing more: the header is at most 100 MB of
 * valid JSON objects, names are unique, every tensor's byte length equals its shape times its element size, and the
 * tensors fill the rest of the file without gap or overlap.
 */
const maxHeaderBytes = 100_000_000;

interface TensorEntry {
  dtype: ElementName;
  shape: number[];
  /** Byte offsets from the start of the file. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  path: string;
  /** What messages call the file. */
  name: string;
  metadata: Record<string, string>;
  tensors: Map<string, TensorEntry>;
}

const refuse = (name: string, what: string): CotuneError =>
  new CotuneError(
    'bad-input',
    `${name} is not a sound safetensors file: ${what}.`,
    'Export the weights again.',
  );

/** Reads and checks a file's header; no tensor is read. Throws `bad-input` naming the file as `name` and what is wrong. */
export function readSafetensorsHeader(path: string, name = path): SafetensorsHeader {
  const file = openForReading(path, name);
  try {
    const size = fstatSync(file).size;
    if (size < 8) throw refuse(name, `it has ${size} bytes, fewer than the 8 of the header length`);
    const lengthBytes = Buffer.alloc(8);
    readSync(file, lengthBytes, 0, 8, 0);
    const length = Number(lengthBytes.readBigUInt64LE());
    if (length > maxHeaderBytes || 8 + length > size)
      throw refuse(name, `its header claims ${length} bytes of a file of ${size}`);
    const text = Buffer.alloc(length);
    readSync(file, text, 0, length, 8);
    if (!isUtf8(text)) throw refuse(name, 'its header is not UTF-8');
    return { path, ...parseHeader(name, text.toString('utf8'), 8 + length, size) };
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string, name: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new CotuneError(
      'not-found',
      `${name} cannot be read: ${(error as Error).message}.`,
      'Check the path.',
      {
        cause: error,
      },
    );
  }
}

function parseHeader(
  file: string,
  text: string,
  dataStart: number,
  fileSize: number,
): Omit<SafetensorsHeader, 'path'> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw refuse(file, `its header is not JSON (${(error as Error).message})`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw refuse(file, 'its header is not a JSON object');
  const seen = new Set<string>();
  for (const name of topLevelKeys(text)) {
    if (seen.has(name)) throw refuse(file, `"${name}" appears twice in its header`);
    seen.add(name);
  }

  const tensors = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(file, value);
    else tensors.set(name, checkEntry(file, name, value, dataStart, fileSize));
  }
  let expected = dataStart;
  for (const [name, entry] of [...tensors].sort((a, b) => a[1].begin - b[1].begin || a[1].end - b[1].end)) {
    if (entry.begin !== expected)
      throw refuse(
        file,
        `tensor "${name}" ${entry.begin < expected ? 'overlaps its neighbor' : 'leaves a gap before it'}`,
      );
    expected = entry.end;
  }
  if (expected !== fileSize) throw refuse(file, `${fileSize - expected} bytes follow the last tensor`);
  return { name: file, metadata, tensors };
}

/** The keys of the header object itself, repeated ones included (JSON.parse would keep the last silently). */
function topLevelKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '{' || match[0] === '[') depth++;
    else if (match[0] === '}' || match[0] === ']') depth--;
    else if (depth === 1 && match[1])
      keys.push(JSON.parse(match[0].slice(0, match[0].length - match[1].length)));
  }
  return keys;
}

function checkMetadata(file: string, value: unknown): Record<string, string> {
  const sound =
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((entry) => typeof entry === 'string');
  if (!sound) throw refuse(file, 'its __metadata__ is not an object of strings');
  return value as Record<string, string>;
}

function checkEntry(
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const naturals = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
  if (typeof dtype !== 'string' || !Object.hasOwn(elementTypes, dtype))
    throw refuse(file, `tensor "${name}" has the unknown element type ${JSON.stringify(dtype)}`);
  if (!naturals(shape)) throw refuse(file, `tensor "${name}" has the shape ${JSON.stringify(shape)}`);
  if (!naturals(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw refuse(file, `tensor "${name}" has the offsets ${JSON.stringify(offsets)}`);
  const bytes =
    shape.reduce((product, extent) => product * extent, 1) * elementTypes[dtype as ElementName].bytes;
  if (offsets[1] - offsets[0] !== bytes)
    throw refuse(
      file,
      `tensor "${name}" of shape [${shape}] (${dtype}) needs ${bytes} bytes and has ${offsets[1] - offsets[0]}`,
    );
  if (dataStart + offsets[1] > fileSize)
    throw refuse(file, `tensor "${name}" ends beyond the file (a cut-off download?)`);
  return { dtype: dtype as ElementName, shape, begin: dataStart + offsets[0], end: dataStart + offsets[1] };
}

/** Reads tensors as float32 in the order asked; F64, F16, BF16 and integers are converted. Throws `bad-input` if one is absent. */
export function readTensors(header: SafetensorsHeader, names: Iterable<string>): Map<string, Float32Array> {
  const file = openForReading(header.path, header.name);
  try {
    const result = new Map<string, Float32Array>();
    for (const name of names) {
      const entry = header.tensors.get(name);
      if (!entry) throw refuse(header.name, `it has no tensor "${name}"`);
      const bytes = new Uint8Array(entry.end - entry.begin);
      let read = 0;
      while (read < bytes.length) {
        const count = readSync(file, bytes, read, Math.min(bytes.length - read, 2 ** 30), entry.begin + read);
        if (count === 0) throw refuse(header.name, 'it ended while being read');
        read += count;
      }
      result.set(name, elementTypes[entry.dtype].toFloat32(bytes.buffer));
    }
    return result;
  } finally {
    closeSync(file);
  }
}

export interface TensorToWrite {
  shape: number[];
  values: Float32Array;
  /** Default F32. */
  dtype?: 'F32' | 'F16';
}

/**
 * Writes a safetensors file beside its final name, syncs and renames it, so that no reader ever sees half of it.
 * @returns SHA-256 of the file (hex) and its size in bytes.
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<[string, TensorToWrite]>,
  metadata: Record<string, string> = {},
): { hash: string; bytes: number } {
  const entries: TensorToPlace[] = [];
  const blocks: Uint8Array[] = [];
  for (const [name, { shape, values, dtype = 'F32' }] of tensors) {
    const data = dtype === 'F16' ? new Float16Array(values) : values;
    entries.push({ name, dtype, shape });
    blocks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const head = safetensorsHead(entries, metadata);
  const hash = createHash('sha256');
  for (const block of [head, ...blocks]) hash.update(block);
  writeWhole(path, [head, ...blocks]);
  const bytes = blocks.reduce((sum, block) => sum + block.length, head.length);
  return { hash: hash.digest('hex'), bytes };
}

interface TensorToPlace {
  name: string;
  dtype: 'F32' | 'F16';
  shape: number[];
}

/** What a file of these tensors, back to back in this order, begins with: the header's length and the header. */
export function safetensorsHead(
  tensors: readonly TensorToPlace[],
  metadata: Record<string, string>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + shape.reduce((product, extent) => product * extent, elementTypes[dtype].bytes);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  // Padded with spaces to a multiple of 8 so that the data is aligned, as the format recommends.
  const json = Buffer.from(JSON.stringify(header));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { CotuneError } from '../../../src-shared/errors.ts';
import { type ElementName, elementTypes } from '../element-types.ts';
import { DamagedFile, FileBytes } from '../file-bytes.ts';
import { type Field, ProtobufReader } from '../protobuf-reader.ts';
import { orRefusal, type TensorSource } from './tensor-source.ts';

/** TensorProto.DataType of onnx.proto; what is missing (strings, complex numbers, 4 and 8 bits) is no weight that is read here. */
const types: Record<number, ElementName | undefined> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

interface Initializer {
  shape: number[];
  dtype: ElementName;
  read(): Float32Array;
}

/**
 * The initializers of an ONNX model, by name; the graph itself is not looked at. Data outside the file is read only beside it.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto Throws `bad-input`.
 */
export function openOnnx(path: string, name: string): TensorSource {
  return orRefusal(name, 'ONNX file', () => {
    const reader = new ProtobufReader(new FileBytes(path));
    const tensors = new Map<string, Initializer>();
    const metadata: Record<string, string> = {};
    for (const part of reader.fields(0, reader.file.size)) {
      if (part.wire !== 'bytes') continue;
      if (part.field === 14) Object.assign(metadata, pair(reader, part));
      if (part.field !== 7) continue;
      for (const inner of reader.fields(part.at, part.length))
        if (inner.field === 5 && inner.wire === 'bytes') {
          const [tensor, initializer] = readInitializer(reader, inner, path);
          if (tensors.has(tensor)) throw new DamagedFile(`its initializer ${tensor} stands twice`);
          tensors.set(tensor, initializer);
        }
    }
    if (tensors.size === 0)
      throw new CotuneError(
        'bad-input',
        `${name} holds no initializers.`,
        'Export the network with its weights.',
      );
    return {
      name,
      metadata,
      tensors,
      notes: [],
      read: (tensor) =>
        orRefusal(name, 'ONNX file', () => {
          const found = tensors.get(tensor);
          if (!found)
            throw new CotuneError('bad-input', `${name} has no initializer "${tensor}".`, 'Export it again.');
          return found.read();
        }),
    };
  });
}

/** StringStringEntryProto. */
function pair(
  reader: ProtobufReader,
  { at, length }: { at: number; length: number },
): Record<string, string> {
  const texts: Record<number, string> = {};
  for (const part of reader.fields(at, length))
    if (part.wire === 'bytes') texts[part.field] = reader.text(part);
  return { [texts[1] ?? '']: texts[2] ?? '' };
}

function readInitializer(
  reader: ProtobufReader,
  { at, length }: { at: number; length: number },
  path: string,
): [string, Initializer] {
  const shape: number[] = [];
  const external: Record<string, string> = {};
  const values: Field[] = [];
  let [type, name, raw, outside] = [0, '', undefined as { at: number; length: number } | undefined, false];
  for (const part of reader.fields(at, length)) {
    if (part.field === 1 && part.wire === 'varint') shape.push(Number(part.value));
    else if (part.field === 1 && part.wire === 'bytes') shape.push(...reader.varints(part).map(Number));
    else if (part.field === 2 && part.wire === 'varint') type = Number(part.value);
    else if (part.field === 8 && part.wire === 'bytes') name = reader.text(part);
    else if (part.field === 9 && part.wire === 'bytes') raw = part;
    else if (part.field === 13 && part.wire === 'bytes') Object.assign(external, pair(reader, part));
    else if (part.field === 14 && part.wire === 'varint') outside = part.value === 1n;
    else if ([4, 5, 7, 10, 11].includes(part.field)) values.push(part);
    if (shape.length > 16) throw new DamagedFile(`its initializer ${name} has more than 16 axes`);
  }
  const dtype = types[type];
  const count = shape.reduce((product, extent) => product * extent, 1);
  // What is no weight is named, and refused only where it is read.
  const bytes = count * (dtype ? elementTypes[dtype].bytes : 0);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || !Number.isSafeInteger(bytes))
    throw new DamagedFile(`its initializer ${name} has the shape [${shape}]`);
  const read = (): Float32Array => {
    if (!dtype)
      throw new DamagedFile(`its initializer ${name} holds elements of type ${type}, which are not read`);
    if (outside) return elementTypes[dtype].toFloat32(readOutside(path, name, external, bytes).buffer);
    if (!raw) return typedValues(reader, values, name, dtype, count);
    if (raw.length !== bytes)
      throw new DamagedFile(`its initializer ${name} has ${raw.length} bytes instead of ${bytes}`);
    return elementTypes[dtype].toFloat32(reader.file.read(raw.at, raw.length).buffer);
  };
  return [name, { shape, dtype: dtype ?? 'U8', read }];
}

/** Elements in float_data, int32_data, int64_data, double_data or uint64_data. */
function typedValues(
  reader: ProtobufReader,
  fields: Field[],
  name: string,
  dtype: ElementName,
  count: number,
): Float32Array {
  const floating = { F32: 'F32', F64: 'F64' } as const;
  const packed = dtype in floating;
  const values: number[] = [];
  for (const part of fields) {
    if (part.wire === 'varint') values.push(Number(BigInt.asIntN(64, part.value)));
    else if (packed && part.length % elementTypes[dtype].bytes === 0)
      for (const value of elementTypes[dtype].toFloat32(reader.file.read(part.at, part.length).buffer))
        values.push(value);
    else if (part.wire === 'bytes')
      for (const value of reader.varints(part)) values.push(Number(BigInt.asIntN(64, value)));
  }
  if (values.length !== count)
    throw new DamagedFile(`its initializer ${name} has ${values.length} elements instead of ${count}`);
  // Halves travel as the numbers of their bits.
  return dtype === 'F16' || dtype === 'BF16'
    ? elementTypes[dtype].toFloat32(Uint16Array.from(values).buffer)
    : Float32Array.from(values);
}

/** Bytes that an initializer keeps in another file, which has to lie in the model's folder or below. */
function readOutside(
  path: string,
  name: string,
  { location = '', offset = '0', length }: Record<string, string>,
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const refuse = (what: string) =>
    new DamagedFile(`its initializer ${name} keeps its data in ${JSON.stringify(location)}, which ${what}`);
  const folder = realpathSync.native(dirname(path));
  const inside = (file: string): boolean => {
    const way = relative(folder, file);
    return way !== '' && !way.startsWith('..') && !isAbsolute(way);
  };
  if (
    location === '' ||
    isAbsolute(location) ||
    /^[A-Za-z]:|\\/.test(location) ||
    !inside(resolve(folder, location))
  )
    throw refuse('lies outside its folder');
  let file: string;
  try {
    // A link may lead out although its name does not.
    file = realpathSync.native(resolve(folder, location));
  } catch {
    throw refuse(`is not there: it belongs beside ${basename(path)}`);
  }
  if (!inside(file)) throw refuse('lies outside its folder');
  const [begin, size] = [Number(offset), length === undefined ? bytes : Number(length)];
  if (size !== bytes) throw new DamagedFile(`its initializer ${name} has ${size} bytes instead of ${bytes}`);
  return new FileBytes(file).read(begin, size);
}

import type { Arrays, Program } from './engine.ts';
import { lower } from './lower/lower.ts';
import { ProtobufWriter } from './lower/protobuf.ts';
import { trace } from './trace/trace.ts';

/** ModelProto.metadata_props of onnx.proto: pairs of strings under field 14. */
const metadataField = 14;

/** Stands for the size of the batch while a program is traced: a prime that no extent of a network has as a factor. */
export const openBatchExtent = 1_000_003;

/**
 * A program as an ONNX model for other runtimes: state given in `constants` is baked in, batch tensors keep their names,
 * outputs are called `NAME:out`. The first axis of its batch tensors has to be `openBatchExtent` and is left open; with `lengths`, a
 * prime as well, so is the second, the pieces of a text, and whole numbers of 64 bits are taken. Only standard operators as long as
 * the lowering for the CPU keeps to them in evaluation.
 */
export function toOnnx(
  program: Program,
  constants: Arrays,
  metadata: Record<string, string>,
  lengths?: number,
): Uint8Array {
  const [input] = Object.keys(program.batch);
  const batch = { extent: openBatchExtent, name: 'batch', input, axis: 0 };
  const open = lengths ? [batch, { extent: lengths, name: 'length', input, axis: 1 }] : [batch];
  const { model } = lower(trace(program, constants), {
    provider: 'cpu',
    layout: 'nchw',
    block: 0,
    open,
    integers: lengths !== undefined,
  });
  const properties = new ProtobufWriter();
  for (const [key, value] of Object.entries(metadata))
    properties.bytes(metadataField, new ProtobufWriter().bytes(1, key).bytes(2, value));
  // Fields of a protocol buffer may come in any order: what is appended belongs to the model.
  return Buffer.concat([model, properties.toBytes()]);
}

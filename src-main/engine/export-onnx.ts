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
 * outputs are called `NAME:out`. The first axis of its one batch tensor has to be `openBatchExtent` and is left open. Only
 * standard operators as long as the lowering for the CPU keeps to them in evaluation.
 */
export function toOnnx(program: Program, constants: Arrays, metadata: Record<string, string>): Uint8Array {
  const [input] = Object.keys(program.batch);
  const openBatch = { extent: openBatchExtent, input };
  const { model } = lower(trace(program, constants), {
    provider: 'cpu',
    layout: 'nchw',
    block: 0,
    openBatch,
  });
  const properties = new ProtobufWriter();
  for (const [key, value] of Object.entries(metadata))
    properties.bytes(metadataField, new ProtobufWriter().bytes(1, key).bytes(2, value));
  // Fields of a protocol buffer may come in any order: what is appended belongs to the model.
  return Buffer.concat([model, properties.toBytes()]);
}

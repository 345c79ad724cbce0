import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { CotuneError } from '../../src-shared/errors.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Program } from '../engine/engine.ts';
import { openBatchExtent, toOnnx } from '../engine/export-onnx.ts';
import { openEngine } from '../engine/open.ts';
import { openFileModel } from '../engine/run/run-model.ts';
import { writeWhole } from '../formats/write-whole.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  specsOf,
  targetHead,
} from '../transfer/network.ts';
import { type WholeBert, writeSurroundings } from './write-bert.ts';

const file = 'model.onnx';
/** Inputs, as networks for texts are fed elsewhere: [batch, length], whole numbers of 64 bits. */
const inputs = ['input_ids', 'attention_mask', 'token_type_ids'] as const;
const output = 'probabilities:out';

/** Largest difference of a probability that other orders of summing float32 explain. */
const tolerance = 1e-4;

/**
 * Writes a trained network for use elsewhere: model.onnx, which takes any number of texts of any length up to its positions, with
 * config.json, the tokenizer's files and a README. Probabilities are of every piece [batch, length, classes], or of a text
 * [batch, classes]. Errors: `failed` where ONNX Runtime, as other programs run it, gives other probabilities than this engine.
 */
export async function exportBertToOnnx(folder: string, whole: WholeBert): Promise<void> {
  const { numbers, network, weights, purpose, origin } = whole;
  const length = openLength(network, numbers.positions);
  const program = probabilities(network, openBatchExtent, length);
  const metadata = {
    origin,
    inputs: inputs.join(','),
    input_type: 'int64',
    input_shape: 'batch,length',
    output,
    output_meaning: `probabilities of ${purpose.head === 'text' ? 'a text' : 'every piece'} in the order of class_names`,
    class_names: JSON.stringify('classes' in purpose ? purpose.classes : []),
  };
  writeSurroundings(folder, whole);
  const path = join(folder, file);
  writeWhole(path, [toOnnx(program, constantsOf(program, weights), metadata, length)]);
  writeWhole(join(folder, 'README.md'), [new TextEncoder().encode(readme(whole))]);
  await verify(path, whole);
}

/** A pass in evaluation mode, from what a text's tokenizer gives to probabilities. */
function probabilities(network: Network, batch: number, length: number): Program {
  const spec = { shape: [batch, length], dtype: 'int32' as const };
  return {
    state: specsOf(evaluationTensors(network, 'target')),
    batch: { input_ids: spec, attention_mask: { ...spec, dtype: 'float32' }, token_type_ids: spec },
    step(state, { input_ids, attention_mask: present, token_type_ids: segments }) {
      const scope = { ...evaluationScope(network, state), present, segments };
      const features = network.backbone.forward(input_ids, scope);
      const logits = classify(network, features, state, targetHead) as tf.Tensor;
      return { state: {}, outputs: { probabilities: tf.softmax(logits) } };
    },
  };
}

/** Stands for the length of a text: a prime below the number of positions that no extent of the network has as a factor. */
function openLength({ backbone }: Network, positions: number): number {
  const extents = backbone.tensors.flatMap(({ shape }) => shape);
  const isPrime = (number: number) => {
    for (let factor = 2; factor ** 2 <= number; factor++) if (number % factor === 0) return false;
    return true;
  };
  // Axes, and the three parts of attention, are smaller numbers.
  for (let length = positions - 1; length > 4; length--)
    if (isPrime(length) && extents.every((extent) => extent % length > 0)) return length;
  throw new CotuneError(
    'failed',
    `No length below ${positions} can be left open in this network.`,
    'Export it in Hugging Face’s layout.',
  );
}

/** Runs the file on texts of two lengths, one of them padded. */
async function verify(path: string, { network, weights, numbers }: WholeBert): Promise<void> {
  const model = await openFileModel(path);
  const engine = await openEngine('cpu');
  try {
    for (const length of [3, Math.min(7, numbers.positions)]) {
      const shape = [2, length];
      const places = Array.from({ length: 2 * length }, (_, at) => at);
      const fed: Record<(typeof inputs)[number], number[]> = {
        input_ids: places.map((at) => (at * 7919 + 1) % numbers.vocabulary),
        attention_mask: places.map((at) => Number(at < 2 * length - 1)),
        token_type_ids: places.map((at) => Number(numbers.segments > 1 && at % length > length / 2)),
      };
      const program = probabilities(network, 2, length);
      const executable = await engine.compile(program, { constants: constantsOf(program, weights) });
      const own = await executable.run({
        input_ids: Int32Array.from(fed.input_ids),
        attention_mask: Float32Array.from(fed.attention_mask),
        token_type_ids: Int32Array.from(fed.token_type_ids),
      } satisfies Arrays);
      await executable.dispose();
      const whole = Object.entries(fed).map(
        ([name, values]) => [name, { values: BigInt64Array.from(values.map(BigInt)), shape }] as const,
      );
      const theirs = await model.run(Object.fromEntries(whole), output);
      const apart = theirs.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - own.probabilities[at])),
        0,
      );
      if (!(apart <= tolerance))
        throw new CotuneError(
          'failed',
          `The exported network gives other probabilities than the run: ${apart.toPrecision(2)} apart.`,
          'Do not use the file, and tell us about the run.',
        );
    }
  } finally {
    await model.close();
    await engine.dispose();
  }
}

/** The contract for a person. */
function readme({ numbers, purpose, origin }: WholeBert): string {
  const classes = 'classes' in purpose ? purpose.classes : [];
  const isText = purpose.head === 'text';
  const take = isText
    ? ["encoded = tokenizer('Where is Rome?', return_tensors='np')"]
    : [
        "words = 'U.N. official Ekeus heads for Baghdad .'.split()",
        "encoded = tokenizer(words, is_split_into_words=True, return_tensors='np')",
      ];
  return `# ${file}

${origin}. ${classes.length} classes, texts of up to ${numbers.positions} pieces.

- Inputs \`${inputs.join('`, `')}\`: int64 [batch, length]; ids of the pieces with \`[CLS]\` in front and \`[SEP]\` behind, 1 where there is a
  piece and 0 where there is padding, 0 for the first text and 1 for a second one.
- Output \`${output}\`: float32 ${isText ? '[batch, classes]' : '[batch, length, classes]: a word has the tag of its first piece'}.

\`\`\`python
import onnxruntime
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained('.')
${take.join('\n')}
session = onnxruntime.InferenceSession('${file}')
[probabilities] = session.run(['${output}'], dict(encoded))
\`\`\`

Classes: ${classes.map((name, number) => `${number} ${name}`).join(', ')}.
`;
}

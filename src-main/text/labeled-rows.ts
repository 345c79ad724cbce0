import type { Matrix } from '../../src-shared/matrix.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { Task } from '../tasks/task.ts';
import type { SourceOutput } from '../trainer/content-keys.ts';
import type { LabeledOutputs } from '../trainer/labeled-outputs.ts';
import type { FromTrainer } from '../trainer/protocol.ts';
import { newHead } from '../transfer/initial-state.ts';
import { outputWidth } from '../transfer/network.ts';
import { mostLabeled } from './most-labeled.ts';
import { featuresOf, logitsOf, type Row, readOf } from './text-outputs.ts';
import type { TextPart } from './text-parts.ts';

/** Rows of a split with a label for each. */
export interface LabeledRows {
  parts: readonly TextPart[];
  rows: readonly (Row & { label: number })[];
}

/** What `Task.outputs` gives, of rows of texts: of too many, as many of each label, evenly over the texts. */
export async function labeledRows(
  { engine, network, file }: Parameters<Task['outputs']>[0],
  splits: Record<'train' | 'val', LabeledRows>,
  padding: number,
  output: SourceOutput,
  /** Of whom a new pooler reads features: `seed` is that of the head. Features are as they are where it is left out. */
  pooler: { seed: number } | null,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Record<'train' | 'val', LabeledOutputs>> {
  const columns = outputWidth(network, output);
  const weights = { ...newHead(network, pooler?.seed ?? 0), ...readNetwork(file, file.tensors) };
  const chosen = {
    train: evenly(splits.train.rows, mostLabeled(columns)),
    val: evenly(splits.val.rows, mostLabeled(columns)),
  };
  if (chosen.train.length < splits.train.rows.length)
    report({
      type: 'note',
      text: `Of ${splits.train.rows.length} labelled places in training texts ${chosen.train.length} are looked at, as many of each kind: all would take too much memory.`,
    });
  const counts = { train: countOf(splits.train, chosen.train), val: countOf(splits.val, chosen.val) };
  const total = counts.train.samples + counts.val.samples;
  let before = 0;
  const of = async (split: 'train' | 'val'): Promise<LabeledOutputs> => {
    const { parts } = splits[split];
    const rows = chosen[split];
    const { samples, used } = counts[split];
    const features = await featuresOf(engine, network, weights, parts, rows, padding, (done) => {
      signal.throwIfAborted();
      const share = Math.floor((done * samples) / used);
      report({ type: 'progress', phase: 'prepare', done: before + share, total });
    });
    before += samples;
    const ofSource = output !== 'features' && network.sourceClasses > 0;
    const logits = ofSource ? await logitsOf(engine, network, 'source', weights, features) : null;
    return {
      outputs:
        output === 'source'
          ? logits!
          : pooler
            ? await readOf(engine, network, weights, features)
            : sideBySide(logits, features),
      labels: Int32Array.from(rows, ({ label }) => label),
    };
  };
  return { train: await of('train'), val: await of('val') };
}

/** How many samples a split has, and how many parts of them are passed. */
const countOf = ({ parts }: LabeledRows, chosen: LabeledRows['rows']) => ({
  samples: new Set(parts.map(({ sample }) => sample)).size,
  used: new Set(chosen.map(({ part }) => part)).size,
});

/** Columns of one matrix with those of another behind them. */
function sideBySide(first: Matrix | null, second: Matrix): Matrix {
  if (!first) return second;
  const columns = first.columns + second.columns;
  const data = new Float32Array(second.rows * columns);
  for (let row = 0; row < second.rows; row++)
    for (const [{ data: own, columns: width }, from] of [
      [first, 0],
      [second, first.columns],
    ] as const)
      data.set(own.subarray(row * width, (row + 1) * width) as Float32Array, row * columns + from);
  return { data, rows: second.rows, columns };
}

/** At most so many of a list, as many of each label as there are of the rarest that has more than its part. */
function evenly<T extends { label: number }>(rows: readonly T[], most: number): readonly T[] {
  if (rows.length <= most) return rows;
  const groups = [...Map.groupBy(rows, ({ label }) => label).values()].sort((a, b) => a.length - b.length);
  const kept = new Set<T>();
  let left = most;
  for (const [index, group] of groups.entries()) {
    const count = Math.min(group.length, Math.floor(left / (groups.length - index)));
    left -= count;
    for (let i = 0; i < count; i++) kept.add(group[Math.floor((i * group.length) / count)]);
  }
  return rows.filter((row) => kept.has(row));
}

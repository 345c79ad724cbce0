import { readNetwork } from '../backbones/network-file.ts';
import type { Task } from '../tasks/task.ts';
import type { LabeledOutputs } from '../trainer/labeled-outputs.ts';
import type { FromTrainer } from '../trainer/protocol.ts';
import { newHead } from '../transfer/initial-state.ts';
import { featuresOf, logitsOf, type Row } from './text-outputs.ts';
import type { TextPart } from './text-parts.ts';

/** Rows of a split with a label for each. */
export interface LabeledRows {
  parts: readonly TextPart[];
  rows: readonly (Row & { label: number })[];
}

/** Numbers that the outputs of one split may have: their softmax is of double precision, and what is learned of them has copies. */
const mostNumbers = 32_000_000;

/** What `Task.outputs` gives, of rows of texts: of too many, as many of each label, evenly over the texts. */
export async function labeledRows(
  { engine, network, file }: Parameters<Task['outputs']>[0],
  splits: Record<'train' | 'val', LabeledRows>,
  padding: number,
  output: 'source' | 'features',
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Record<'train' | 'val', LabeledOutputs>> {
  const columns = output === 'source' ? network.sourceClasses : network.backbone.features;
  const weights = { ...newHead(network, 0), ...readNetwork(file, file.tensors) };
  const chosen = {
    train: evenly(splits.train.rows, Math.floor(mostNumbers / columns)),
    val: evenly(splits.val.rows, Math.floor(mostNumbers / columns)),
  };
  if (chosen.train.length < splits.train.rows.length)
    report({
      type: 'note',
      text: `Of ${splits.train.rows.length} labelled places in training texts ${chosen.train.length} are looked at, as many of each kind: all would take too much memory.`,
    });
  const total = splits.train.parts.length + splits.val.parts.length;
  let before = 0;
  const of = async (split: 'train' | 'val'): Promise<LabeledOutputs> => {
    const { parts } = splits[split];
    const rows = chosen[split];
    const features = await featuresOf(engine, network, weights, parts, rows, padding, (done) => {
      signal.throwIfAborted();
      report({ type: 'progress', phase: 'prepare', done: Math.min(before + done, total), total });
    });
    before += parts.length;
    return {
      outputs: output === 'source' ? await logitsOf(engine, network, 'source', weights, features) : features,
      labels: Int32Array.from(rows, ({ label }) => label),
    };
  };
  return { train: await of('train'), val: await of('val') };
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

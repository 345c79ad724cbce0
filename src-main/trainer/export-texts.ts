import { taskOf } from '../tasks/index.ts';
import { openBertFile } from '../text/bert-file.ts';
import { exportBertToOnnx } from '../text/export-onnx.ts';
import { textModelIn } from '../text/text-networks.ts';
import { writeBert } from '../text/write-bert.ts';
import type { ExportTextsJob } from './protocol.ts';

/** Writes a trained network of texts for use elsewhere. Errors: `failed` where what was written gives other probabilities. */
export async function exportTexts({
  task: name,
  weightsPath,
  format,
  folder,
}: ExportTextsJob): Promise<void> {
  const task = taskOf(name);
  const head = task.head!;
  const { file, input, tokenizer, outputs } = openBertFile(weightsPath, head);
  const { network, weights } = task.openTrained(weightsPath, textModelIn(weightsPath, input));
  const whole = {
    numbers: input,
    network,
    weights,
    tokenizer,
    purpose: { head, classes: outputs },
    origin: file.source.metadata.origin,
  } as const;
  if (format === 'onnx') await exportBertToOnnx(folder, whole);
  else writeBert(folder, whole);
}

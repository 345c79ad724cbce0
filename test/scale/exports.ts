/**
 * Exports every network, of full width and made-up weights, as safetensors and as ONNX, and compares the probabilities of two images
 * with those of PyTorch and of ONNX Runtime. Prints a row of Markdown for each; ends with 1 where one differs. Takes gigabytes and
 * minutes. PyTorch's column is empty where /usr/bin/python3 has no torchvision. Run it with:
 *
 *   node_modules/.bin/node test/scale/exports.ts [NETWORK...]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { architectureNames } from '../../src-main/backbones/registry.ts';
import { openFileModel } from '../../src-main/engine/run/run-model.ts';
import { exportNetwork } from '../../src-main/trainer/export.ts';
import { exportedInput, exportedOutput } from '../../src-main/trainer/export-contract.ts';
import {
  apart,
  type Exported,
  exported,
  hasTorchvision,
  imagesApart,
  torchProbabilities,
} from '../parity/exported-network.ts';

/** Float32 through up to two hundred layers, summed in another order. */
const tolerance = 1e-5;

const folder = mkdtempSync(join(tmpdir(), 'cotune-exports-'));
const hasTorch = hasTorchvision();
const given = process.argv.slice(2);
let failed = false;

/** What ONNX Runtime makes of the network's export. Its pixels are divided by 255 inside. */
async function onnxProbabilities({ job, images }: Exported): Promise<Float32Array> {
  const path = join(folder, 'network.onnx');
  const { shape, weights } = job;
  await exportNetwork({
    ...{ kind: 'export', format: 'onnx', weightsPath: weights, size: shape[1] },
    ...{ path, readmePath: `${path}.md` },
  });
  const model = await openFileModel(path);
  const pixels = images.map((value) => 255 * value);
  const probabilities = await model.run({ [exportedInput]: { values: pixels, shape } }, exportedOutput);
  await model.close();
  return probabilities;
}

console.log('| network | safetensors in PyTorch | ONNX in ONNX Runtime | the two images |');
console.log('|---|---|---|---|');
try {
  for (const name of given.length > 0 ? given : architectureNames()) {
    const network = await exported(name, folder);
    const ours = network.probabilities;
    const onnx = apart(ours, await onnxProbabilities(network));
    const torch = hasTorch ? apart(ours, torchProbabilities([network.job])[0]) : null;
    const between = imagesApart(ours);
    const worst = Math.max(onnx, torch ?? 0);
    const isWrong = !(worst < tolerance && between > 3 * worst);
    failed ||= isWrong;
    const cells = [torch?.toExponential(1) ?? '', onnx.toExponential(1), between.toExponential(1)];
    console.log(`| ${name} | ${cells.join(' | ')} |${isWrong ? ' DIFFERS' : ''}`);
    rmSync(network.job.weights);
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

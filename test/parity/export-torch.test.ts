import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  apart,
  type Exported,
  exported,
  hasTorchvision,
  imagesApart,
  torchProbabilities,
} from './exported-network.ts';

const folder = mkdtempSync(join(tmpdir(), 'cotune-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every kind of layer and of head: the others have them more often, or wider. All of them: test/scale/exports.ts. */
const smallest = ['resnet18', 'mobilenet_v3_small', 'convnext_tiny', 'vit_ti_16', 'squeezenet1_1'];

test('what is exported as safetensors gives the same probabilities in torchvision’s networks', {
  timeout: 1_800_000,
}, async (context) => {
  if (!hasTorchvision()) return context.skip('no python3 with torchvision on this machine');
  const networks: Exported[] = [];
  for (const name of smallest) networks.push(await exported(name, folder));
  const theirs = torchProbabilities(networks.map(({ job }) => job));
  for (const [index, { job, probabilities }] of networks.entries()) {
    const worst = apart(probabilities, theirs[index]);
    // Float32 through up to two hundred layers, summed in another order.
    expect(worst, job.architecture).toBeLessThan(1e-5);
    // Of a random network that hardly looks at its image, this would say little: two images are further apart.
    expect(imagesApart(probabilities), job.architecture).toBeGreaterThan(3 * worst);
  }
});

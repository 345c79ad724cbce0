import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { listAdapters } from '../../src-main/engine/run/adapters.ts';
import { allCases } from './cases.ts';
import { expectParity, random } from './parity.ts';

const trials = 2;
const swiftShader = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
].find((path) => existsSync(path));

let engine: Engine | undefined;
let reason = '';
beforeAll(async () => {
  // Vulkan's loader looks for drivers once per process, so the software one is named before the first try.
  if (swiftShader && (await listAdapters()).length === 0) process.env.VK_ICD_FILENAMES = swiftShader;
  try {
    engine = await openEngine('webgpu');
  } catch (error) {
    reason = (error as Error).message;
  }
});
afterAll(() => engine?.dispose());

for (const [family, cases] of Object.entries(allCases))
  describe(`the WebGPU engine agrees with tf.js on ${family}`, () => {
    for (const [name, build] of Object.entries(cases))
      test(name, async (context) => {
        if (!engine) return context.skip(`no Vulkan driver: ${reason}`);
        for (let seed = 1; seed <= trials; seed++) await expectParity(engine, build(random(seed)), seed);
      });
  });

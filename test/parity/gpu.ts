import { existsSync } from 'node:fs';
import type { Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { listAdapters } from '../../src-main/engine/run/adapters.ts';

/** Where browsers keep the Vulkan driver that draws on the CPU. */
const softwareDriver = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
].find((path) => existsSync(path));

/** The WebGPU engine on whatever Vulkan driver there is, or why there is none. */
export async function openGpu(): Promise<Engine | string> {
  // Vulkan's loader looks for drivers once per process, so the software one is named before the first try.
  if (softwareDriver && (await listAdapters()).length === 0) process.env.VK_ICD_FILENAMES = softwareDriver;
  try {
    return await openEngine('webgpu');
  } catch (error) {
    return `no Vulkan driver: ${(error as Error).message}`;
  }
}

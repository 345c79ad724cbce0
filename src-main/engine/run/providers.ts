/** ONNX Runtime's providers for accelerators, by engine name: what differs between them. */
import type { InferenceSession } from 'onnxruntime-node';
import { ort } from './session.ts';

export interface Provider {
  /** Its name among ONNX Runtime's back ends. */
  backend: string;
  /** How a person calls it. */
  title: string;
  options: InferenceSession.SessionOptions;
  /** Whether a step's results can stay on the device and feed the next; else state lives in host memory. */
  keepsState: boolean;
  /** What it takes to have it. */
  needs: string;
}

/** An ML program computes in the graph's own types, on the CPU or the GPU; Core ML's other form halves precision. */
const coreMlProgram = 0x010 | 0x020;

export const providers = {
  webgpu: {
    backend: 'webgpu',
    title: 'WebGPU',
    options: { executionProviders: ['webgpu'] },
    keepsState: true,
    needs:
      'It needs a graphics adapter with a Vulkan driver (Linux), Direct3D 12 (Windows) or Metal (macOS).',
  },
  cuda: {
    backend: 'cuda',
    title: 'CUDA',
    options: { executionProviders: ['cuda'] },
    keepsState: false,
    needs:
      'It needs Linux on x64, an NVIDIA adapter with CUDA 12 and cuDNN 9, and libraries that this downloads: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12',
  },
  directml: {
    backend: 'dml',
    title: 'DirectML',
    // DirectML takes neither memory patterns nor parallel execution.
    options: { executionProviders: ['dml'], enableMemPattern: false, executionMode: 'sequential' },
    keepsState: false,
    needs: 'It needs Windows and a Direct3D 12 adapter.',
  },
  coreml: {
    backend: 'coreml',
    title: 'CoreML',
    options: { executionProviders: [{ name: 'coreml', coreMlFlags: coreMlProgram }] },
    keepsState: false,
    needs: 'It needs macOS.',
  },
} satisfies Record<string, Provider>;

export type ProviderName = keyof typeof providers;
export const providerNames = Object.keys(providers) as ProviderName[];

/** Whether the installed ONNX Runtime was built with a provider. Its libraries or a device may still be missing. */
export const isBuiltIn = (name: ProviderName): boolean =>
  ort.listSupportedBackends().some((backend) => backend.name === providers[name].backend);

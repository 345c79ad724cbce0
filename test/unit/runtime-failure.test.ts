import { expect, test } from 'vitest';
import { OnnxGraph } from '../../src-main/engine/lower/onnx-graph.ts';
import { runtimeFailure } from '../../src-main/engine/run/failure.ts';
import { hostExecutable } from '../../src-main/engine/run/host.ts';
import { CotuneError } from '../../src-shared/errors.ts';

const classify = (message: string) => runtimeFailure(new Error(message), 'A step failed');

// Messages as ONNX Runtime 1.30 and what is below it write them.
test.each([
  "Non-zero status code returned while running Mul node. Name:'Mul_8702' Status Message: /onnxruntime/core/framework/bfc_arena.cc:368 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 2830172160",
  'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[1] against { binding: 1 }.',
  'Buffer size (3185049600) exceeds the max buffer size limit (1073741824).',
  'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
  'CUDA failure 2: out of memory ; GPU=0 ; hostname=box ; expr=cudaMalloc((void**)&p, size);',
  'std::bad_alloc',
  'Array buffer allocation failed',
])('«%s» is said as exhausted memory, with what to make smaller', (message) => {
  expect(classify(message)).toMatchObject({
    code: 'failed',
    message: expect.stringContaining('Memory ran out'),
    hint: expect.stringContaining('--batch'),
  });
});

test('how much was asked for is said where the runtime says it', () => {
  expect(classify('Failed to allocate memory for requested buffer of size 2830172160').message).toContain(
    '2.64 GiB',
  );
});

test.each([
  'Failed to download data from buffer. wgpu::MapAsyncStatus value: 3',
  'WebGPU device lost (2): A valid external Instance reference no longer exists.',
  'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
  'GetDeviceRemovedReason: DXGI_ERROR_DEVICE_HUNG (0x887A0006)',
  'CUDA failure 700: an illegal memory access was encountered ; GPU=0',
])('«%s» is said as a lost device, with what helps', (message) => {
  expect(classify(message)).toMatchObject({
    code: 'failed',
    message: expect.stringContaining('graphics device was lost'),
    hint: expect.stringContaining('--engine cpu'),
  });
});

test('an adapter without half precision is unavailable for mixed runs, not broken', () => {
  const said =
    'shader_helper.cc:416 GenerateSourceCode Program Cast requires f16 but the device does not support it.';
  expect(classify(said)).toMatchObject({
    code: 'unavailable',
    hint: expect.stringContaining('--precision full'),
  });
});

test('any other message stays in the runtime’s own words; an error for a person stays as it is', () => {
  expect(classify('Unexpected input data type').message).toBe('A step failed: Unexpected input data type');
  const known = new CotuneError('bad-input', 'out of memory lane');
  expect(runtimeFailure(known, 'A step failed')).toBe(known);
});

test('a step that finds no memory on the CPU ends in such an error', async () => {
  const graph = new OnnxGraph();
  // Four terabytes: more than any machine has.
  const large = graph.op('Expand', ['x', graph.ints([2 ** 20, 2 ** 20])]);
  graph.named('y', 'ReduceSum', [large, graph.ints([0, 1])], { keepdims: 0 });
  const x = { name: 'x', port: 'x', shape: [1, 1], dtype: 'float32' as const };
  const y = { name: 'y', port: 'y', shape: [], dtype: 'float32' as const };
  const model = graph.toBytes([x], [y]);
  const executable = await hostExecutable(
    { model, apart: [], fed: [], state: [], parts: [], batch: [x], nextState: [], outputs: [y] },
    { executionProviders: ['cpu'], logSeverityLevel: 4 },
  );
  await expect(executable.run({ x: Float32Array.of(1) })).rejects.toMatchObject({
    message: expect.stringContaining('Memory ran out in the middle of a step: a tensor of 4096.00 GiB'),
  });
  await executable.dispose();
});

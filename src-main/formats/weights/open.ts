import { CotuneError } from '../../../src-shared/errors.ts';
import { openOnnx } from './onnx.ts';
import { recognizeWeights } from './recognize.ts';
import { openSafetensors } from './safetensors.ts';
import { openSharded } from './sharded.ts';
import type { TensorSource } from './tensor-source.ts';
import { openTorch } from './torch.ts';

/**
 * Tensors of a weights file of any known kind, told by its content; `name` is what messages call it. Nothing of the file is
 * executed, and no tensor is read yet. Throws `bad-input` saying what the file is or what is wrong with it, `not-found`.
 */
export function openWeights(path: string, name = path): TensorSource {
  const format = recognizeWeights(path, name);
  if (format === 'safetensors-index') return openSharded(path, name, openShard);
  return openShard(path, name);
}

function openShard(path: string, name: string): TensorSource {
  const format = recognizeWeights(path, name);
  switch (format) {
    case 'safetensors':
      return openSafetensors(path, name);
    case 'onnx':
      return openOnnx(path, name);
    case 'safetensors-index':
      throw new CotuneError('bad-input', `${name} is an index inside an index.`, 'Download it again.');
    default:
      return openTorch(path, name, format);
  }
}

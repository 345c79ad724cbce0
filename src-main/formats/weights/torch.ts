import { CotuneError } from '../../../src-shared/errors.ts';
import { readTorchLegacy } from '../torch/legacy-file.ts';
import { namedTensors } from '../torch/named-tensors.ts';
import { readTorchTar } from '../torch/tar-file.ts';
import { readTorchZip } from '../torch/zip-file.ts';
import { orRefusal, type TensorSource } from './tensor-source.ts';

const readers = { 'torch-zip': readTorchZip, 'torch-legacy': readTorchLegacy, 'torch-tar': readTorchTar };

/**
 * Tensors of a PyTorch checkpoint, wherever in it they are. Nothing of the file is executed. Throws `bad-input` naming what is
 * wrong, or the global that it asks for.
 */
export function openTorch(path: string, name: string, format: keyof typeof readers): TensorSource {
  return orRefusal(name, 'PyTorch file', () => {
    const { tensors, taken, left } = namedTensors(readers[format](path, name));
    if (tensors.size === 0)
      throw new CotuneError(
        'bad-input',
        `${name} holds no named tensors.`,
        'Save the weights of a network: torch.save(model.state_dict(), …).',
      );
    const notes =
      left.length > 0
        ? [`The weights are those under ${taken.join('.')}; there are others under ${left.join(', ')}.`]
        : [];
    return {
      name,
      metadata: {},
      tensors,
      notes,
      read: (tensor) =>
        orRefusal(name, 'PyTorch file', () => {
          const found = tensors.get(tensor);
          if (!found)
            throw new CotuneError(
              'bad-input',
              `${name} has no tensor "${tensor}".`,
              'Export the weights again.',
            );
          return found.read();
        }),
    };
  });
}

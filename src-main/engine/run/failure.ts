import { CotuneError } from '../../../src-shared/errors.ts';

const GiB = 2 ** 30;
const kinds: [RegExp, (message: string) => CotuneError][] = [
  [
    /requires f16 but the device does not support it/,
    () =>
      new CotuneError(
        'unavailable',
        'This graphics adapter, or its driver, has no half-precision numbers (shader-f16).',
        '--precision full needs none; --engine cpu has them on every machine.',
      ),
  ],
  [
    // Dawn, its Vulkan, Direct3D and Metal back ends, and CUDA's sticky errors.
    /device (is |was )?lost|DEVICE_LOST|DXGI_ERROR_DEVICE_(REMOVED|HUNG|RESET)|MapAsyncStatus|CUDA (failure|error) (4|46|700|702|719)\b/i,
    (message) =>
      new CotuneError(
        'failed',
        `The graphics device was lost: its driver stopped or restarted it (${firstLine(message)}).`,
        'Update the driver and keep the machine from sleeping; a smaller --batch makes steps shorter than the driver’s time limit; --engine cpu needs no graphics device.',
      ),
  ],
  [
    // Dawn says only to stderr that an allocation failed; what follows is that the buffer is invalid.
    /Failed to allocate memory|ran out of memory|out of memory|OUT_OF_(DEVICE|HOST)_MEMORY|bad_?alloc|Allocation size too large|\[Invalid Buffer[^\]]*\] is invalid|max buffer size limit|CUDA (failure|error) 2\b|E_OUTOFMEMORY|buffer allocation failed|Invalid typed array length/i,
    (message) =>
      new CotuneError(
        'failed',
        `Memory ran out in the middle of a step${request(message)}.`,
        'Start again with a smaller --batch or --size, or close what else uses the memory; --precision mixed keeps activations in half the space.',
      ),
  ],
];

/**
 * What an error of the runtime means to a person: lack of half precision (`unavailable`), a lost device or exhausted
 * memory (`failed`); any other stays `failed` in the runtime's own words, after `doing`. A CotuneError is handed back.
 */
export function runtimeFailure(error: unknown, doing: string): CotuneError {
  if (error instanceof CotuneError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const known = kinds.find(([pattern]) => pattern.test(message));
  if (!known) return new CotuneError('failed', `${doing}: ${message}`, '', { cause: error });
  const failure = known[1](message);
  failure.cause = error;
  return failure;
}

/** The runtime's own sentence, without its source location. */
export const firstLine = (message: string): string =>
  message.split('was false. ').at(-1)!.trim().split('\n')[0];

/** What was asked for when memory ran out, where the runtime says it. */
function request(message: string): string {
  const bytes = Number(/buffer of size (\d+)|Buffer size \((\d+)\)/.exec(message)?.slice(1).find(Boolean));
  return bytes > 0 ? `: a tensor of ${(bytes / GiB).toFixed(2)} GiB found no room` : '';
}

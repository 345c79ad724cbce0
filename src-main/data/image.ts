import { CotuneError } from '../../src-shared/errors.ts';

/** Pixels in rows from the top, three bytes (red, green, blue) each. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Why an image cannot be used; the message is a sentence that goes after the path. */
export class ImageProblem extends Error {
  readonly kind: 'broken' | 'empty' | 'huge' | 'unsupported';

  constructor(kind: ImageProblem['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageProblem';
    this.kind = kind;
  }
}

/** Why the image at a path cannot be used, or shown, as a person is told; a `CotuneError` as it is. */
export function imageError(
  error: unknown,
  path: string,
  code: 'bad-input' | 'failed',
  purpose: 'used' | 'shown',
): CotuneError {
  if (error instanceof CotuneError) return error;
  const { code: systemCode, message } = error as NodeJS.ErrnoException;
  if (systemCode === 'ENOENT')
    return new CotuneError(
      'not-found',
      `The image ${path} is no longer there.`,
      'Put it back, or import the folder again.',
      { cause: error },
    );
  const reason = error instanceof ImageProblem ? message : `it cannot be read (${systemCode ?? message})`;
  return new CotuneError(
    code,
    `The image ${path} cannot be ${purpose}: ${reason}.`,
    'Import the folder again.',
    { cause: error },
  );
}

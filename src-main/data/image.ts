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

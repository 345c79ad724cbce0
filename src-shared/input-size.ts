import type { Model } from './domain.ts';

/** How large what a network takes is: the side of its pictures, or the most pieces of its texts. */
export const inputSize = ({ preprocessing, text }: Pick<Model, 'preprocessing' | 'text'>): string =>
  preprocessing ? `${preprocessing.inputSize} px` : `${text!.positions} pieces`;

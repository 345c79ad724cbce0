/** A BERT as it is kept in the data folder: one safetensors file that says all of itself. */
import type { TextInput } from '../../src-shared/domain.ts';

/** The metadata of such a file; `outputs` are the names of a trained head's. */
export const bertMetadata = (
  input: TextInput,
  vocabulary: readonly string[],
  origin: string,
  outputs?: readonly string[],
): Record<string, string> => ({
  format: 'pt',
  architecture: architectureOf(input),
  bert: JSON.stringify(input),
  vocabulary: JSON.stringify(vocabulary),
  origin,
  ...(outputs && { class_names: JSON.stringify(outputs) }),
});

/** What a BERT is called by its layers and their width: `bert-4x256`. */
export const architectureOf = ({ layers, hidden }: Pick<TextInput, 'layers' | 'hidden'>): string =>
  `bert-${layers}x${hidden}`;

import { readTexts } from '../../text/read-texts.ts';

/** The texts of a file, however it keeps them, with their lines. Errors: as `readTexts`. */
export const textLines = async ({ path }: { path: string }): Promise<{ line: number; text: string }[]> =>
  readTexts(path).samples.map(({ line, text }) => ({ line, text }));

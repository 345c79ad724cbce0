import { CotuneError } from '../../src-shared/errors.ts';

/**
 * What a pattern finds in the names of images: its first group, or what it matches; those that have the same belong together.
 * Errors: `bad-input` for a pattern that is none.
 */
export function groupsBy(text: string | undefined): (path: string) => string | undefined {
  if (text === undefined) return () => undefined;
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, 'u');
  } catch (error) {
    throw new CotuneError(
      'bad-input',
      `The pattern ${text} of groups cannot be used: ${(error as Error).message}.`,
      'It is a regular expression, e.g. patient(\\d+).',
    );
  }
  return (path) => {
    const found = pattern.exec(path);
    return found ? (found[1] ?? found[0]) : undefined;
  };
}

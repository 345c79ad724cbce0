import type { ErrorValue } from '../../src-shared/errors.ts';
import { visible } from './visible.ts';

/** 2 where the caller has to mend what it gave, else 1. */
export const exitCode = ({ code }: ErrorValue): 1 | 2 =>
  code === 'bad-input' || code === 'not-found' ? 2 : 1;

/** An error for a person, on stderr: what is wrong, then what to do. */
export function printError({ message, hint }: ErrorValue): void {
  console.error(visible(hint ? `${message}\n${hint}` : message));
}

/** Writes to stdout and waits until it is taken: a pipe may be slow, and exiting would cut it off. */
export const printText = (text: string): Promise<void> =>
  new Promise((resolve) => {
    if (text === '') resolve();
    else process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
  });

/** The names of a contract document as the command line spells them: `classCounts` becomes `class_counts`. */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/([a-z\d])([A-Z])/g, (_, before, letter) => `${before}_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  );
}

/** What the service and a reader process say to each other: requests by number, answered in any order. */
import { CotuneError, type ErrorCode } from '../../src-shared/errors.ts';
import { ImageProblem } from '../data/image.ts';
import type { ReadingInput, ReadingName, ReadingOutput, ReadingPart } from './readings/index.ts';

export interface ReadRequest<K extends ReadingName = ReadingName> {
  id: number;
  kind: K;
  input: ReadingInput<K>;
}

/** `ready` comes once, before all others; `part` as often as the reading has something to tell before its end. */
export type FromReader =
  | { ready: true }
  | { id: number; part: ReadingPart<ReadingName> }
  | { id: number; output: ReadingOutput<ReadingName> }
  | { id: number; failure: Failure };

/** Exit code of a reader that took more memory than it may. */
export const memoryExitCode = 77;

/** An error as it travels: kinds that callers act on are made again on the other side. */
export interface Failure {
  type: 'image' | 'cotune' | 'other';
  /** An image problem's kind, a CotuneError's code, or a system error's (ENOENT). */
  code: string | undefined;
  message: string;
  hint: string;
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ImageProblem)
    return { type: 'image', code: error.kind, message: error.message, hint: '' };
  if (error instanceof CotuneError)
    return { type: 'cotune', code: error.code, message: error.message, hint: error.hint };
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'other', code, message: message ?? String(error), hint: '' };
}

export function fromFailure({ type, code, message, hint }: Failure): Error {
  if (type === 'image') return new ImageProblem(code as ImageProblem['kind'], message);
  if (type === 'cotune') return new CotuneError(code as ErrorCode, message, hint);
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

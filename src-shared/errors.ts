/**
 * What went wrong, in kinds a program can act on. `bad-input` and `not-found` are the caller's to mend (exit code 2);
 * `diverged`: a training's numbers ran away, which the same settings would do again.
 */
export type ErrorCode =
  | 'bad-input'
  | 'not-found'
  | 'conflict'
  | 'unavailable'
  | 'cancelled'
  | 'failed'
  | 'diverged';

/** The form in which an error crosses a process boundary. */
export interface ErrorValue {
  code: ErrorCode;
  /** One sentence for a person: what is wrong, and where. */
  message: string;
  /** What to do next; empty where nothing helps. */
  hint: string;
}

/** An error that a person reads: what is wrong and where, and what to do next. */
export class CotuneError extends Error implements ErrorValue {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options);
    this.name = 'CotuneError';
    this.code = code;
    this.hint = hint;
  }
}

/** Any thrown value as an error value; unknown errors keep their message under the code `failed`. */
export function toErrorValue(error: unknown): ErrorValue {
  if (error instanceof CotuneError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'failed', message: error instanceof Error ? error.message : String(error), hint: '' };
}

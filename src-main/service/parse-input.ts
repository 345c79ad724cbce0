import type { z } from 'zod';
import { CotuneError } from '../../src-shared/errors.ts';

/** Parses a call's input; what is wrong is said in sentences: which field, what was given, what is allowed. */
export function parseInput<S extends z.ZodType>(call: string, schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const sentences = result.error.issues.map((issue) => describe(issue, input));
  throw new CotuneError(
    'bad-input',
    `${call}: ${sentences.map(([wrong]) => wrong).join('; ')}.`,
    [...new Set(sentences.map(([, allowed]) => allowed))].join(' '),
  );
}

/** What is wrong, and what would be right. */
function describe(issue: z.core.$ZodIssue, input: unknown): [string, string] {
  const field = issue.path.map(String).join('.') || 'the input';
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  const given = value === undefined ? `"${field}" is missing` : `"${field}" is ${show(value)}`;
  switch (issue.code) {
    case 'invalid_type':
      return [given, `"${field}" has to be ${article(issue.expected)}.`];
    case 'invalid_value':
      return [given, `"${field}" can be ${issue.values.map(String).join(', ')}.`];
    case 'too_small':
      return [
        given,
        `"${field}" has to be ${bound(issue.inclusive ? 'at least' : 'above', issue.minimum, issue)}.`,
      ];
    case 'too_big':
      return [
        given,
        `"${field}" has to be ${bound(issue.inclusive ? 'at most' : 'below', issue.maximum, issue)}.`,
      ];
    case 'unrecognized_keys':
      return [
        `${issue.keys.map((key) => `"${key}"`).join(', ')} is not a setting${issue.path.length ? ` of "${field}"` : ''}`,
        'Check the spelling.',
      ];
    default:
      return [given, `"${field}": ${issue.message}.`];
  }
}

function bound(word: string, limit: number | bigint, issue: { origin?: string }): string {
  if (issue.origin === 'string') return `${word} ${limit} character${limit === 1 ? '' : 's'} long`;
  if (issue.origin === 'array') return `a list of ${word} ${limit}`;
  return `${word} ${limit}`;
}

const article = (type: string): string =>
  type === 'int' ? 'a whole number' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

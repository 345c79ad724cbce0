import { CotuneError, type ErrorValue, toErrorValue } from '../../src-shared/errors.ts';
import { plural } from './text.ts';

/** What a command ends with where some of its images could not be read; null where all were. */
export function unreadImages(images: readonly { error: ErrorValue | null }[]): ErrorValue | null {
  const unread = images.filter(({ error }) => error).length;
  if (unread === 0) return null;
  return toErrorValue(
    new CotuneError(
      'bad-input',
      `${plural(unread, 'image')} of ${images.length} could not be read.`,
      'The list says why.',
    ),
  );
}

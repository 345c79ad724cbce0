import type { Model } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

/** Errors: `bad-input` where a network came without the head that `what` needs. */
export function requireSourceHead(model: Model, what: string): void {
  if (model.sourceClasses.length > 0) return;
  throw new CotuneError(
    'bad-input',
    `${what} needs the predictions of the source head, and the model "${model.name}" came without one.`,
    'Fine-tune it, or add the network again from a file that has its head.',
  );
}

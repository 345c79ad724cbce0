import type { Part } from '../src-shared/domain.ts';
import { methodName } from '../src-shared/parts.ts';
import { session } from './session.svelte.ts';

/** A method, or its name, as its terms title themselves: `Co-tuning + BSS`. */
export const methodTitle = (method: string | readonly Part[]): string =>
  (typeof method === 'string' ? method : methodName(method))
    .split('+')
    .map((name) => session.parts?.method.find((part) => part.name === name)?.title ?? name)
    .join(' + ');
